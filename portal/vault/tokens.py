"""The text of an API key: recognised at sight, random, checked without asking anybody.

`portal_` + public id (12) + `_` + 256 random bits (43) + checksum (6), the last three in base62.
What stands before the last `_` is public; the SHA-256 of the whole text is all that is stored.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

NAME = "portal_"
LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH, SECRET_LENGTH, CHECKSUM_LENGTH = 12, 43, 6  # 62**43 > 2**256, 62**6 > 2**32
_TEXT = re.compile(
    rf"(?P<prefix>{NAME}[0-9A-Za-z]{{{ID_LENGTH}}})_"
    rf"[0-9A-Za-z]{{{SECRET_LENGTH}}}(?P<checksum>[0-9A-Za-z]{{{CHECKSUM_LENGTH}}})"
)


# Damaged ones too: a secret with a slip of the hand in it is still most of a secret.
_ANYWHERE = re.compile(rf"({NAME}[0-9A-Za-z]{{{ID_LENGTH}}})_[0-9A-Za-z]{{20,}}")


@dataclass(frozen=True)
class Token:
    """A key's whole text, and the part of it that may be seen."""

    prefix: str
    text: str = field(repr=False)


def make() -> Token:
    """A new key from the system's randomness."""
    public_id = "".join(secrets.choice(LETTERS) for _ in range(ID_LENGTH))
    secret = base62(secrets.randbits(256), SECRET_LENGTH)
    unchecked = f"{NAME}{public_id}_{secret}"
    return Token(f"{NAME}{public_id}", unchecked + checksum(unchecked))


def parse(text: str) -> Token | None:
    """The key that a text is; None for what was never one of ours (form or checksum)."""
    found = _TEXT.fullmatch(text)
    if found is None or checksum(text[:-CHECKSUM_LENGTH]) != found["checksum"]:
        return None
    return Token(found["prefix"], text)


def hidden(text: str) -> str:
    """A text with the secret part of every key in it cut off."""
    return _ANYWHERE.sub(r"\1_***", text) if NAME in text else text


def checksum(unchecked: str) -> str:
    """CRC-32 of the text before it: against typing faults and guesses, no secret."""
    return base62(zlib.crc32(unchecked.encode()), CHECKSUM_LENGTH)


def digest(text: str) -> str:
    """What is stored. A plain hash will do: nobody guesses 256 bits."""
    return hashlib.sha256(text.encode()).hexdigest()


def base62(number: int, length: int) -> str:
    """A number that is not negative, in `length` letters; too large a one raises OverflowError."""
    letters = []
    for _ in range(length):
        number, rest = divmod(number, len(LETTERS))
        letters.append(LETTERS[rest])
    if number:
        raise OverflowError("the number does not fit")
    return "".join(reversed(letters))
