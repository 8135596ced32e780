"""Signatures by the Standard Webhooks specification (github.com/standard-webhooks). Pure.

`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, with the octets that follow `whsec_`
in base64 as the key; several signatures are separated by spaces, the newest secret's first.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SECRET_OCTETS = 32


def new_secret() -> str:
    """256 random bits as the specification writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_OCTETS)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,…` of one secret; `timestamp` in seconds since 1970."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def headers(
    secrets_in_use: Sequence[str], message_id: str, body: bytes, now: datetime
) -> dict[str, str]:
    """What is sent beside the body at an attempt."""
    timestamp = int(now.timestamp())
    signatures = [signature(one, message_id, timestamp, body) for one in secrets_in_use]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
