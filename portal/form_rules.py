"""Checks that forms of every slice share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite
from typing import Any

from wtforms import Field, Form, ValidationError

DEEPEST_JSON = 20
MAIL_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\"]+\Z")
NOT_STORABLE = "Contains a character that cannot be stored."


def is_storable(text: str) -> bool:
    """Databases refuse NUL, and lone surrogates are in no encoding."""
    if "\x00" in text:
        return False
    return text.isascii() or not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


def without_nul(form: Form, field: Field) -> None:
    """What databases refuse the form refuses too, in words."""
    text = field.data if isinstance(field.data, str) else "\n".join(field.data or [])
    if not is_storable(text):
        raise ValidationError(NOT_STORABLE)


def refuse_constant(name: str) -> None:
    """For `json.loads`: NaN and the infinities are no JSON."""
    raise ValueError(f"{name} is not JSON")


def finite_number(text: str) -> float:
    """For `json.loads`: `1e999` would become infinity, which JSON does not know."""
    if not isfinite(number := float(text)):
        raise ValueError(f"{text} is too large")
    return number


def texts_in(value: Any) -> Iterator[str]:
    """Every key and text inside, level by level. Raises ValidationError where it is too deep."""
    level = [value]
    for _ in range(DEEPEST_JSON + 1):
        yield from (part for part in level if isinstance(part, str))
        objects = [part for part in level if isinstance(part, dict)]
        yield from (key for found in objects for key in found)
        level = [inner for found in objects for inner in found.values()] + [
            inner for part in level if isinstance(part, list) for inner in part
        ]
    if level:
        raise ValidationError(f"Must be at most {DEEPEST_JSON} levels deep.")
