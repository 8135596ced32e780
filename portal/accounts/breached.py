"""Whether a password is in the operator's file of breached ones; nobody outside is asked.

The file has a line for each, by the alphabet: the SHA-1 in hexadecimal digits, then what it likes,
such as `:` and how often it was seen. That is how such sets are given away, and they are large, so
it is searched where it lies. SHA-1 is its name of a password here, no protection of one.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

DIGITS = 40


def is_in(file: Path, password: str) -> bool:
    """By halves; some forty looks at the largest file. Raises OSError."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with file.open("rb") as lines:
        low, high = 0, lines.seek(0, os.SEEK_END)
        while low < high:
            middle = (low + high) // 2
            found = _line_after(lines, middle)
            if found == wanted:
                return True
            if found and found < wanted:
                low = middle + 1
            else:
                high = middle
        return _line_after(lines, low) == wanted


def _line_after(lines: BinaryIO, place: int) -> bytes:
    """The digits of the first line that begins at a place or after it; nothing at the end."""
    lines.seek(max(place - 1, 0))
    if place:
        lines.readline()
    return lines.readline()[:DIGITS].upper()
