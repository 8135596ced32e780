"""A question to ourselves in the place where a certificate authority will ask.

The content is bound to the host and the installation, so that whoever answers it is this platform
and no other; nothing is stored for it.
"""

from __future__ import annotations

import hashlib
import hmac

PATH = "/.well-known/acme-challenge/"
PREFIX = "portal-preflight-"


def token(secret: str, host: str) -> str:
    """The last part of the path for a host; in the alphabet of RFC 8555 section 8.3."""
    return PREFIX + _sealed(secret, "token", host)[:32]


def content(secret: str, host: str, asked: str) -> str | None:
    """What the serving plane answers to a token on any host; None for a token of others."""
    if not hmac.compare_digest(asked.encode(), token(secret, host).encode()):
        return None
    return f"{asked}.{_sealed(secret, 'content', host)}"


def _sealed(secret: str, purpose: str, host: str) -> str:
    message = f"preflight {purpose} {host}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
