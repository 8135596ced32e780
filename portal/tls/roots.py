"""The roots a certificate is judged by: given ones, or those of the machine."""

import functools
import re
import ssl
import warnings
from pathlib import Path

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from portal.errors import AdapterError

PEM_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def trusted_roots(roots_pem: str | None) -> tuple[x509.Certificate, ...]:
    """The given roots, or the machine's for None; raises AdapterError where there are none."""
    roots = _given(roots_pem) if roots_pem else machine_roots()
    if not roots:
        raise AdapterError(
            "This machine trusts no certificate authority at all, so nothing can be judged.",
            reason="no_roots",
        )
    return roots


def roots_in(path: str) -> str | None:
    """The PEM file at `path`; None, for the machine's own, where there is no path."""
    return Path(path).read_text() if path else None


@functools.lru_cache(maxsize=8)
def _given(roots_pem: str) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(roots_pem.encode("ascii")))


@functools.lru_cache(maxsize=1)
def machine_roots() -> tuple[x509.Certificate, ...]:
    """Those in the places where OpenSSL looks: one file, or a folder of files."""
    places = ssl.get_default_verify_paths()
    files = [Path(places.cafile)] if places.cafile else []
    if places.capath and not files:
        # each root is there under several names, and once more in a bundle
        files = sorted(path for path in Path(places.capath).iterdir() if path.is_file())
    blocks = (block for path in files for block in PEM_BLOCK.findall(path.read_bytes()))
    with warnings.catch_warnings():  # some old roots have serials that RFC 5280 forbids
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return tuple(filter(None, map(_readable, dict.fromkeys(blocks))))


def _readable(pem: bytes) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        return None
