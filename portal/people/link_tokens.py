"""The secret in a link that is sent by mail: random, and stored only as its hash."""

from __future__ import annotations

import hashlib
import secrets

from portal.database import current_settings

LENGTH = 43  # of 32 octets in base64 without padding


def make() -> str:
    """256 random bits, safe in a path."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored. A plain hash will do: nobody guesses 256 bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def url(path: str, token: str) -> str:
    """The whole address; its host comes from the settings, never from a request."""
    return f"{current_settings().platform_url}/{path}/{token}"
