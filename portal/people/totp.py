"""Codes that change every 30 seconds (RFC 6238, HMAC-SHA-1, six digits), as apps make them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_SECONDS, DIGITS = 30, 6
STEPS_BESIDE = 1  # a clock may go wrong by half a minute (RFC 6238 section 5.2)
KEY_BYTES = 20  # RFC 4226 section 4 recommends 160 bits
ISSUER = "Portal"


def new_key() -> str:
    """A random key in base32, as apps read it."""
    return base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()


def step_of(now: datetime) -> int:
    return int(now.timestamp()) // STEP_SECONDS


def code_of(key: str, step: int) -> str:
    """The six digits of a step (RFC 4226 section 5.3)."""
    mac = hmac.digest(base64.b32decode(key), step.to_bytes(8), hashlib.sha1)
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(key: str, typed: str, now: datetime) -> int | None:
    """The step whose code was typed, spaces or not; None for a wrong one."""
    digits = "".join(typed.split())
    if not (digits.isascii() and digits.isdigit() and len(digits) == DIGITS):
        return None
    present, found = step_of(now), None
    for step in range(present - STEPS_BESIDE, present + STEPS_BESIDE + 1):
        if hmac.compare_digest(code_of(key, step), digits):
            found = step
    return found


def uri(key: str, username: str, host: str) -> str:
    """What the QR code says (the `otpauth` form that authenticator apps agree on)."""
    label = quote(f"{ISSUER} {host}:{username}")
    query = urlencode({"secret": key, "issuer": f"{ISSUER} {host}"}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"


def in_groups(key: str) -> str:
    """The key in fours, to be typed."""
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))
