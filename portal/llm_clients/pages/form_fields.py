"""Fields and checks of the client form that WTForms does not bring."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

from wtforms import Field, FileField, Form, TextAreaField, ValidationError
from wtforms.widgets import TextInput

from portal.form_rules import (
    NOT_STORABLE,
    finite_number,
    is_storable,
    refuse_constant,
    texts_in,
)
from portal.llm_clients.image_making import LARGEST_FILE, ImageRefused, MadeImage, made_from

# semver.org 2.0.0: MAJOR.MINOR.PATCH, an optional pre-release and build, no leading zeros.
_NUMBER = r"(0|[1-9]\d{0,8})"
_IDENTIFIERS = r"[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*"
SEMANTIC_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_IDENTIFIERS})?(\+{_IDENTIFIERS})?\Z", re.ASCII
)
LONGEST_URL = 2048
LONGEST_JSON = 20_000
NOT_AN_OBJECT = 'Must be a JSON object, such as {"team": "support"}.'


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
    """Key-value pairs as a JSON object; empty text is an empty object.

    Only what both databases store and every page can show again: finite numbers, whole characters,
    at most 20,000 characters of text, 20 levels deep.
    """

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return json.dumps(self.data, indent=2, ensure_ascii=False) if self.data else ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.data = {}
        text = str(valuelist[0]).strip() if valuelist else ""
        if len(text) > LONGEST_JSON:
            raise ValidationError(f"Must be at most {LONGEST_JSON:,} characters.")
        try:
            found = json.loads(
                text or "{}", parse_constant=refuse_constant, parse_float=finite_number
            )
        except (ValueError, RecursionError) as error:
            raise ValidationError(NOT_AN_OBJECT) from error
        if not isinstance(found, dict):
            raise ValidationError(NOT_AN_OBJECT)
        if not all(is_storable(leaf) for leaf in texts_in(found)):
            raise ValidationError(NOT_STORABLE)
        self.data = found


class ImageField(FileField):
    """A picture file; `made` is what becomes of it, None when no file was chosen."""

    def __init__(self, *arguments: Any, kind: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.kind = kind
        self.made: MadeImage | None = None

    @property
    def is_chosen(self) -> bool:
        return bool(getattr(self.data, "filename", ""))

    def pre_validate(self, form: Any) -> None:
        if not self.is_chosen:
            return
        try:
            self.made = made_from(self.data.stream.read(LARGEST_FILE + 1), self.kind)
        except ImageRefused as error:
            raise ValidationError(error.public_message) from error


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
    if not is_good or any(letter.isspace() or not letter.isprintable() for letter in text):
        raise ValidationError("Must be a web address that starts with https://")
    if len(text) > LONGEST_URL:
        raise ValidationError("Must be at most 2,048 characters.")
    field.data = text
