"""Allowed origins: the pages that may show a client and read its answers. Pure.

Written as browsers write them in `Origin` (RFC 6454 section 6.2, with A-labels): scheme, host and
the port only where it is not the scheme's. So an allowed origin is found by comparing texts.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

import idna

from portal.errors import PortalError

MOST_ORIGINS = 20
LONGEST_ORIGIN = 300
_DEFAULT_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "such as https://www.example.com"


class NoOrigin(PortalError):
    """The text is not the origin of a page; the sentence says why."""


def normalised(text: str) -> str:
    """`https://host[:port]`, lower-case, in A-labels. Raises NoOrigin.

    Plain http is for names of one's own machine only (W3C Secure Contexts section 3.1).
    """
    shown = text.strip()[:60]
    if "*" in text:
        raise NoOrigin(f"{shown}: a wildcard is not possible. Name each origin.")
    if len(text) > LONGEST_ORIGIN:
        raise NoOrigin(f"{shown}…: longer than {LONGEST_ORIGIN} characters.")
    try:
        parts = urlsplit(text.strip())
        scheme, host, port = parts.scheme, _host(parts.hostname or ""), parts.port
    except ValueError as error:
        raise NoOrigin(f"{shown}: is not an origin, {_EXAMPLE}") from error
    if scheme not in _DEFAULT_PORTS or not host or _has_more(parts):
        raise NoOrigin(f"{shown}: must be scheme and host without a path, {_EXAMPLE}")
    if scheme == "http" and not is_own_machine(host):
        raise NoOrigin(f"{shown}: must start with https://; http is only for localhost.")
    return f"{scheme}://{host}" + ("" if port in (None, _DEFAULT_PORTS[scheme]) else f":{port}")


def _has_more(parts: SplitResult) -> bool:
    return bool(parts.username or parts.password or parts.query or parts.fragment) or (
        parts.path not in ("", "/") or "@" in parts.netloc
    )


def _host(name: str) -> str:
    """Raises ValueError (idna.IDNAError is one) for what is no name and no address."""
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name)}]"
    return idna.encode(name.removesuffix("."), uts46=True).decode() if name else ""


def is_own_machine(host: str) -> bool:
    """Whether a name or address always means the machine of who asks (RFC 6761 section 6.3)."""
    name = host.removesuffix(".")
    return name in ("127.0.0.1", "[::1]", "localhost") or name.endswith(".localhost")
