"""Passwords: argon2id, and the same work whether or not the name is known."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from portal.off_loop import off_loop

MIN_LENGTH = 10
_hasher = PasswordHasher()


@cache
def _nobodys() -> str:
    """What an unknown name is compared with, so that it takes as long as a known one."""
    return _hasher.hash("nobody has this password")


def hashed(password: str) -> str:
    """The argon2id hash to store."""
    return off_loop(_hasher.hash, password)


def matches(password: str, stored: str) -> bool:
    """Whether the password is right; an empty `stored` never is, and takes as long."""
    nobodys = _nobodys()
    try:
        return off_loop(_hasher.verify, stored or nobodys, password) and bool(stored)
    except (VerifyMismatchError, InvalidHashError):
        return False
