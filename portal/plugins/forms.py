"""The forms of the three kinds; each knows the content that it makes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import g
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.database import current_settings
from portal.errors import AdapterError
from portal.form_rules import without_nul
from portal.outgoing import check_url
from portal.plugins import api, selecting, sql, statements
from portal.plugins.form_fields import (
    HEADER_VALUE,
    HeadersField,
    JSONDataField,
    LinesField,
    ParametersField,
    check_header_name,
)
from portal.plugins.models import Plugin
from portal.plugins.parameters import PATH, PluginError
from portal.vault import named

SELECTORS = {
    Plugin.Selectors.ALWAYS: "For every question",
    Plugin.Selectors.SEARCH_TERMS: "When a search term is in the question",
    Plugin.Selectors.LLM: "When the model asks for it",
}


class PluginForm(FlaskForm):
    """What all kinds share. `home` is whom a stored secret was given for: it goes nowhere else."""

    name = StringField("Name", [InputRequired("Give the plugin a name."), Length(max=100)])
    description = TextAreaField("Description", [Length(max=1000), without_nul])
    selector = SelectField(
        "Used",
        choices=[
            SelectChoice(value=choice.value, label=label) for choice, label in SELECTORS.items()
        ],
    )
    search_terms = LinesField("Search terms", [without_nul])

    def __init__(self, home: str = "", **arguments: Any) -> None:
        super().__init__(**arguments)
        self._home = home

    def validate_name(self, field: Field) -> None:
        field.data = " ".join((field.data or "").split())
        without_nul(self, field)
        if not field.data or not field.data.isprintable():
            raise ValidationError("Give the plugin a name of letters, digits and signs.")

    def validate_search_terms(self, field: LinesField) -> None:
        terms = field.data or []
        if len(terms) > selecting.MOST_TERMS:
            raise ValidationError(f"At most {selecting.MOST_TERMS} search terms.")
        if any(len(term) > selecting.LONGEST_TERM for term in terms):
            raise ValidationError(
                f"Each search term must be at most {selecting.LONGEST_TERM} characters."
            )
        if not terms and self.selector.data == Plugin.Selectors.SEARCH_TERMS:
            raise ValidationError("Name at least one search term.")

    def columns(self) -> dict[str, Any]:
        """What the plugin's row keeps of the checked form, beside its kind and secret."""
        return {
            "name": self.name.data or "",
            "description": (self.description.data or "").strip(),
            "selector": Plugin.Selectors(self.selector.data),
            "search_terms": self.search_terms.data or [],
            "content": self.content(),
        }

    def content(self) -> dict[str, Any]:
        """What the plugin's row keeps of what only its kind has."""
        raise NotImplementedError

    def home(self) -> str:
        """Whom the secret is for; "" for a kind without one."""
        return ""


class StaticForm(PluginForm):
    """Data that stands in the form."""

    data = JSONDataField("Data")

    def content(self) -> dict[str, Any]:
        return {"data": self.data.data}


class _WithSecret(PluginForm):
    """A kind with one secret, write-only."""

    secret = PasswordField("Secret", [Length(max=1000)])
    removes_secret = BooleanField("Remove the stored secret")

    def validate_secret(self, field: Field) -> None:
        if not HEADER_VALUE.match(field.data or ""):
            raise ValidationError("Use letters, digits and signs of ASCII only.")
        if problem := named.problem_with(g.account.id, field.data):
            raise ValidationError(problem)
        moved = self._home and self.home() != self._home
        if moved and not field.data and not self.removes_secret.data:
            raise ValidationError("Enter it again: the stored one is for another address.")


class APIForm(_WithSecret):
    """An HTTP interface."""

    method = SelectField(
        "Method", choices=[SelectChoice(value=name, label=name) for name in api.METHODS]
    )
    url = StringField("Address", [InputRequired("Say where it is."), Length(max=2048)])
    headers = HeadersField("Headers", [Length(max=10_000)])
    secret_header = StringField("Header with the secret", [Length(max=60)])
    parameters = ParametersField("Parameters")

    def validate_url(self, field: Field) -> None:
        field.data = (field.data or "").strip()
        plain = api.PLACEHOLDER.sub("x", field.data)
        if re.search(r"[{}]", api.host_part(field.data)):
            raise ValidationError("The host must not have {braces}: it is the same for all values.")
        if re.search(r"[{}\s]", plain) or "#" in plain or not plain.isprintable():
            raise ValidationError("Write a parameter as {name}; no spaces and no #.")
        try:
            check_url(plain, allow_private=current_settings().allow_private_addresses)
        except AdapterError as error:
            raise ValidationError(_address_words(error)) from error

    def validate_secret_header(self, field: Field) -> None:
        field.data = (field.data or "").strip()
        if field.data:
            check_header_name(field.data)
        elif self.secret.data:
            raise ValidationError("Name the header, such as Authorization.")

    def validate_parameters(self, field: ParametersField) -> None:
        named = set(api.placeholders(self.url.data or ""))
        in_path = {found.name for found in field.read() if found.where == PATH}
        if named - in_path:
            absent = sorted(named - in_path)[0]
            raise ValidationError(f"{{{absent}}} of the address is not listed as going into it.")
        if in_path - named:
            absent = sorted(in_path - named)[0]
            raise ValidationError(f"The address has no {{{absent}}}.")

    def content(self) -> dict[str, Any]:
        return {
            "method": self.method.data,
            "url": self.url.data,
            "headers": self.headers.headers,
            "secret_header": self.secret_header.data,
            "parameters": [found.stored() for found in self.parameters.parameters],
        }

    def home(self) -> str:
        return api.host_part(self.url.data or "").lower()


class SQLForm(_WithSecret):
    """A statement for a database; its secret is the password."""

    secret = PasswordField("Password", [Length(max=1000)])
    url = StringField("Database", [InputRequired("Say where it is."), Length(max=2048)])
    statement = TextAreaField("Statement", [InputRequired("Write one SELECT."), without_nul])
    parameters = ParametersField("Parameters")

    def validate_url(self, field: Field) -> None:
        field.data = (field.data or "").strip()
        settings = current_settings()
        try:
            url = sql.checked_url(field.data, allow_private=settings.allow_private_addresses)
        except PluginError as error:
            raise ValidationError(error.public_message) from error
        if url.scheme == "sqlite":
            file = Path(unquote(url.path)[1:]).resolve()
            if file.is_relative_to(settings.data_dir.resolve()):
                raise ValidationError("The portal’s own files cannot be read by a plugin.")

    def validate_statement(self, field: Field) -> None:
        try:
            statements.read(field.data or "")
        except PluginError as error:
            raise ValidationError(error.public_message) from error

    def validate_parameters(self, field: ParametersField) -> None:
        listed = {found.name for found in field.read()}
        try:
            named = set(statements.read(self.statement.data or "").names)
        except PluginError:
            return
        if named != listed:
            odd = sorted(named ^ listed)[0]
            where = "is in the statement but not listed" if odd in named else "is in no :name"
            raise ValidationError(f"{odd} {where}.")

    def content(self) -> dict[str, Any]:
        return {
            "url": self.url.data,
            "statement": self.statement.data,
            "parameters": [found.stored() for found in self.parameters.parameters],
        }

    def home(self) -> str:
        parts = urlsplit(self.url.data or "")
        return f"{parts.scheme}://{parts.netloc.lower()}"


def _address_words(error: AdapterError) -> str:
    needs_https = "only https" in error.detail
    return "The address must begin with https://" if needs_https else error.public_message


FORMS: dict[str, type[PluginForm]] = {
    Plugin.Kinds.STATIC: StaticForm,
    Plugin.Kinds.API: APIForm,
    Plugin.Kinds.SQL: SQLForm,
}


def form_of(plugin: Plugin, **options: Any) -> PluginForm:
    """The form of a plugin's kind, filled with what is stored."""
    stored = {**plugin.content, "name": plugin.name, "description": plugin.description}
    stored |= {"selector": plugin.selector.value, "search_terms": plugin.search_terms}
    headers = stored.pop("headers", {})
    stored["headers"] = [f"{name}: {value}" for name, value in headers.items()]
    form_class = FORMS[plugin.kind]
    home = form_class(formdata=None, data=stored).home() if plugin.sealed_secret else ""
    return form_class(home=home, data=stored, **options)


class ConfirmForm(FlaskForm):
    """Only the token that every POST carries."""
