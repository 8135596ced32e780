"""Checks that forms of every slice share."""

from __future__ import annotations

from wtforms import Field, Form, ValidationError

NOT_STORABLE = "Contains a character that cannot be stored."


def is_storable(text: str) -> bool:
    """Databases refuse NUL, and lone surrogates are in no encoding."""
    return "\x00" not in text and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


def without_nul(form: Form, field: Field) -> None:
    """What databases refuse the form refuses too, in words."""
    text = field.data if isinstance(field.data, str) else "\n".join(field.data or [])
    if not is_storable(text):
        raise ValidationError(NOT_STORABLE)
