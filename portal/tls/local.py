"""The certificate authority of the local environment: a real one, kept in one folder."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from portal.errors import AdapterError
from portal.settings import Settings
from portal.tls import AuthorityAccounts, Issuance, Renewal
from portal.tls.authority import (
    certificate_text,
    key_text,
    new_key,
    new_root,
    new_server_certificate,
)

CRL_DAYS = 7
Authority = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


class LocalIssuer:
    """Issues at once. `folder` holds `ca.pem`, `ca.key` (0600) and the revocation list `ca.crl`.

    Several processes may share the folder: whoever comes first makes the root, under a lock.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def from_settings(cls, settings: Settings, accounts: AuthorityAccounts) -> Self:
        """In the data folder; this authority keeps no accounts."""
        return cls(settings.data_dir / "tls")

    def request(self, names: tuple[str, ...], now: datetime, state: dict[str, Any]) -> Issuance:
        """A certificate for `names` (at least one), valid for 90 days."""
        root, root_key = self._authority()
        key = new_key()
        try:
            leaf = new_server_certificate(root, root_key, key.public_key(), names, now)
        except (ValueError, IndexError) as error:
            return Issuance("failed", f"No certificate for these names: {error}", "malformed")
        return Issuance(
            "issued",
            f"Certificate issued for {', '.join(names)}.",
            chain_pem=certificate_text(leaf),
            key_pem=key_text(key),
            issuer=root.subject.rfc4514_string(),
            serial=format(leaf.serial_number, "x"),
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            state=state,
        )

    def revoke(self, chain_pem: str, now: datetime) -> None:
        """Put the certificate on the signed list `ca.crl`; twice changes nothing."""
        root, root_key = self._authority()
        leaf = x509.load_pem_x509_certificate(chain_pem.encode("ascii"))
        with self._locked():
            revoked = {entry.serial_number: entry for entry in self._revoked()}
            revoked.setdefault(leaf.serial_number, _entry(leaf.serial_number, now))
            builder = x509.CertificateRevocationListBuilder(
                root.subject, now, now + timedelta(days=CRL_DAYS)
            )
            for entry in revoked.values():
                builder = builder.add_revoked_certificate(entry)
            crl = builder.sign(root_key, hashes.SHA256())
            self._write("ca.crl", crl.public_bytes(serialization.Encoding.PEM), 0o644)

    def release(self, names: tuple[str, ...], now: datetime) -> None:
        """Nothing is kept by the name."""

    def renewal(self, chain_pem: str, now: datetime) -> Renewal:
        """By the rule of thirds."""
        return Renewal()

    def roots_pem(self) -> str:
        """The root of this folder."""
        return certificate_text(self._authority()[0])

    def _authority(self) -> Authority:
        existing = self._load()
        if existing is None:
            with self._locked():
                existing = self._load() or self._create()
        return existing

    def _load(self) -> Authority | None:
        try:
            root = x509.load_pem_x509_certificate((self._folder / "ca.pem").read_bytes())
            key_pem = (self._folder / "ca.key").read_bytes()
            key = serialization.load_pem_private_key(key_pem, password=None)
        except FileNotFoundError:
            return None
        except (ValueError, OSError) as error:
            raise _unusable(f"{self._folder}: {error}") from error
        # a crash between the two files leaves a key that does not fit: then both are made anew
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != root.public_key():
            return None
        return root, key

    def _create(self) -> Authority:
        key = new_key()
        root = new_root(key)
        self._write("ca.key", key_text(key).encode("ascii"), 0o600)
        self._write("ca.pem", certificate_text(root).encode("ascii"), 0o644)
        return root, key

    def _revoked(self) -> Iterator[x509.RevokedCertificate]:
        path = self._folder / "ca.crl"
        if path.exists():
            yield from x509.load_pem_x509_crl(path.read_bytes())

    def _write(self, name: str, content: bytes, mode: int) -> None:
        path = self._folder / name
        fresh = self._folder / f"{name}.new"
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self._folder / "lock").open("w", encoding="ascii")
        except OSError as error:
            raise _unusable(str(error)) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _entry(serial: int, now: datetime) -> x509.RevokedCertificate:
    return x509.RevokedCertificateBuilder(serial, now).build()


def _unusable(detail: str) -> AdapterError:
    return AdapterError(
        "The local certificate authority's files cannot be used.",
        reason="unusable_files",
        detail=detail,
    )
