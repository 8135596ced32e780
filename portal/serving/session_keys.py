"""Session keys: 64 hexadecimal digits that only we can make, and that fit one client only.

Half is random (128 bits), half an HMAC of it and the client's number. So a key is known as ours
before its first prompt is stored, and one made up or taken from another client is not.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

_SHAPE = re.compile(r"[0-9a-f]{64}\Z")


def new_key(client_id: int, secret: str) -> str:
    """A fresh key of this client."""
    random_half = secrets.token_hex(16)
    return random_half + _mark(random_half, client_id, secret)


def is_ours(key: str, client_id: int, secret: str) -> bool:
    """Whether the key was made here for this client."""
    if not _SHAPE.match(key):
        return False
    return hmac.compare_digest(key[32:], _mark(key[:32], client_id, secret))


def kept_or_new(key: str, client_id: int, secret: str) -> str:
    """The key if it is good, else a new one: a strange key is a new session, not an error."""
    return key if is_ours(key, client_id, secret) else new_key(client_id, secret)


def _mark(random_half: str, client_id: int, secret: str) -> str:
    message = f"session/{client_id}/{random_half}".encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()[:32]
