"""The form of a provider: where it is, which models, whose key."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from flask import g
from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, StringField, TextAreaField, ValidationError
from wtforms.validators import InputRequired, Length

from portal.database import current_settings
from portal.errors import AdapterError
from portal.form_rules import without_nul
from portal.outgoing import check_url
from portal.providers.model_lines import LineError, rows_of
from portal.vault import named

NAME = re.compile(r"[a-z][a-z0-9-]{0,58}\Z")


class ProviderForm(FlaskForm):
    """An OpenAI-compatible endpoint; the key is write-only.

    `keyed_url` is the address that a stored key was given for: it goes to no other host.
    """

    name = StringField("Name", [InputRequired("Give the provider a name."), Length(max=60)])
    base_url = StringField("Base URL", [InputRequired("Say where it is."), Length(max=2048)])
    default_model = StringField("Default model", [Length(max=200), without_nul])
    models = TextAreaField("Models", [Length(max=20_000), without_nul])
    api_key = PasswordField("API key", [Length(max=1000)])

    def __init__(self, keyed_url: str = "", **arguments: Any) -> None:
        super().__init__(**arguments)
        self._keyed_url = keyed_url

    def validate_name(self, field: Field) -> None:
        if not NAME.match(field.data or ""):
            raise ValidationError("Must be lower-case letters, digits and -, first a letter.")
        if field.data == "demo":
            raise ValidationError("demo is the built-in provider; choose another name.")

    def validate_base_url(self, field: Field) -> None:
        field.data = (field.data or "").strip().rstrip("/")
        if not field.data.lower().startswith(("https://", "http://")):
            raise ValidationError("Must be a web address that starts with https://")
        try:
            check_url(field.data, allow_private=current_settings().allow_private_addresses)
        except AdapterError as error:
            raise ValidationError(error.public_message) from error

    def validate_api_key(self, field: Field) -> None:
        if any(letter.isspace() or not letter.isprintable() for letter in field.data or ""):
            raise ValidationError("A key has no spaces or line breaks.")
        if problem := named.problem_with(g.account.id, field.data):
            raise ValidationError(problem)
        if self._keyed_url and not field.data and self._host_differs():
            raise ValidationError("Enter the key again: the stored one is for another host.")

    def _host_differs(self) -> bool:
        if self.base_url.errors:
            return False
        old, new = urlsplit(self._keyed_url), urlsplit(self.base_url.data or "")
        return (old.scheme, old.netloc.lower()) != (new.scheme, new.netloc.lower())

    def validate_models(self, field: Field) -> None:
        try:
            self.model_rows()
        except LineError as error:
            raise ValidationError(str(error)) from error

    def model_rows(self) -> list[dict[str, Any]]:
        """The models, one from each line. Raises LineError."""
        return rows_of(self.models.data or "")

    def columns(self) -> dict[str, Any]:
        """What the provider's row keeps of the checked form, beside its name and key."""
        return {
            "base_url": self.base_url.data or "",
            "default_model": (self.default_model.data or "").strip(),
            "models": self.model_rows(),
        }


class DeleteProviderForm(FlaskForm):
    """Only the token that every POST carries."""
