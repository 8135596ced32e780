"""Fields and checks of the client form that WTForms does not bring."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from wtforms import Field, Form, TextAreaField, ValidationError
from wtforms.widgets import TextInput

# semver.org 2.0.0: MAJOR.MINOR.PATCH, an optional pre-release and build, no leading zeros.
_NUMBER = r"(0|[1-9]\d{0,8})"
_IDENTIFIERS = r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*"
SEMANTIC_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_IDENTIFIERS})?(\+{_IDENTIFIERS})?\Z", re.ASCII
)
LONGEST_URL = 2048


class LinesField(TextAreaField):
    """A list of texts, one on each line; empty lines are dropped."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "\n".join(self.data or [])

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]) if valuelist else ""
        self.data = [line.strip() for line in text.splitlines() if line.strip()]


class CommaField(LinesField):
    """A list of short texts with commas between them."""

    widget = TextInput()

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ", ".join(self.data or [])

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]) if valuelist else ""
        self.data = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


class JSONObjectField(TextAreaField):
    """Key-value pairs as a JSON object; empty text is an empty object."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return json.dumps(self.data, indent=2, ensure_ascii=False) if self.data else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0]).strip() if valuelist else ""
        try:
            self.data = json.loads(text or "{}", parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ValidationError('Must be a JSON object, such as {"team": "support"}.') from error
        if not isinstance(self.data, dict):
            raise ValidationError('Must be a JSON object, such as {"team": "support"}.')
        if "\\u0000" in json.dumps(self.data):
            raise ValidationError("Must not contain the character NUL.")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def semantic_version(form: Form, field: Field) -> None:
    """MAJOR.MINOR.PATCH."""
    if not SEMANTIC_VERSION.match(field.data or ""):
        raise ValidationError("Must be a semantic version such as 1.0.0.")


def web_address(form: Form, field: Field) -> None:
    """An absolute http or https URL of at most 2,048 characters; empty is allowed."""
    text = (field.data or "").strip()
    if not text:
        return
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_good = False
    if not is_good or any(letter.isspace() for letter in text):
        raise ValidationError("Must be a web address that starts with https://")
    if len(text) > LONGEST_URL:
        raise ValidationError("Must be at most 2,048 characters.")
    field.data = text
