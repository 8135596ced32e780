"""Checks that forms of every slice share."""

from __future__ import annotations

from wtforms import Field, Form, ValidationError


def without_nul(form: Form, field: Field) -> None:
    """Databases refuse NUL and lone surrogates; so does the form, in words."""
    text = field.data if isinstance(field.data, str) else "\n".join(field.data or [])
    if "\x00" in text or any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise ValidationError("Contains a character that cannot be stored.")
