"""Passwords: argon2id, and the same work whether or not the name is known."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from portal.accounts import breached
from portal.off_loop import off_loop
from portal.settings import SHORTEST_PASSWORD

log = logging.getLogger(__name__)
MIN_LENGTH, MAX_LENGTH = SHORTEST_PASSWORD, 1000
# Beginnings of what is tried first; one of them and a few digits more is no password.
TRIED_FIRST = ("password", "passwort", "qwertz", "qwerty", "123456", "letmein", "welcome", "admin")
TRIED_FIRST += ("portal", "chatbot", "changeme", "iloveyou", "summer", "winter")
LIST = Path(__file__).parent / "common_passwords" / "passwords.txt"
_hasher = PasswordHasher()


@cache
def _nobodys() -> str:
    """What an unknown name is compared with, so that it takes as long as a known one."""
    return _hasher.hash("nobody has this password")


def is_easy(password: str, names: Iterable[str]) -> bool:
    """Whether it is among the first guesses: few different letters, a name, a well-known one."""
    lowered = password.lower()
    if len(set(lowered)) < 5:
        return True
    rests = [lowered.replace(word, "") for word in (*TRIED_FIRST, *filter(None, names))]
    return any(rest != lowered and (len(rest) < 5 or rest.isdigit()) for rest in rests)


@cache
def _common() -> frozenset[str]:
    return frozenset(LIST.read_text().splitlines())


def is_common(password: str) -> bool:
    """Whether very many people have it, in whatever letters (ASVS 5.0.0, 6.2.4)."""
    return password.lower() in _common()


def is_breached(password: str, file: Path | None) -> bool:
    """Whether the operator's file has it; one that cannot be read refuses nobody, and is logged."""
    try:
        return file is not None and breached.is_in(file, password)
    except OSError as error:
        log.error("the file of breached passwords cannot be read: %s", error.strerror)
        return False


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
