"""The form of a webhook: what it is called, where it is, what it is told, whom it lets in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import g
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    PasswordField,
    SelectMultipleField,
    StringField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.database import current_settings
from portal.errors import AdapterError
from portal.form_rules import without_nul
from portal.notices.kinds import FOR_WEBHOOKS, RULES
from portal.notices.webhook_models import Webhook
from portal.notifications.webhook_changes import Wanted
from portal.outgoing import check_url
from portal.vault import named

NOT_ALLOWED = "Must be an address on the public internet that starts with https://"


class KindsField(SelectMultipleField):
    """Kinds of notices, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class WebhookForm(FlaskForm):
    """Of a new webhook, and of one that is changed.

    `stored_for` is the address that a stored Authorization header was given for: it goes to no
    other host.
    """

    name = StringField(
        "Name",
        [
            InputRequired("Give the webhook a name."),
            Length(max=100, message="Must be at most 100 characters."),
            without_nul,
        ],
        filters=[_stripped],
    )
    url = StringField(
        "Address",
        [
            InputRequired("Enter the address that messages are sent to."),
            Length(max=2000, message="Must be at most 2,000 characters."),
            without_nul,
        ],
        filters=[_stripped],
    )
    kinds = KindsField(
        "What it is told",
        choices=[SelectChoice(kind.value, RULES[kind].label) for kind in FOR_WEBHOOKS],
    )

    authorization = PasswordField(
        "Authorization header",
        [Length(max=1000, message="Must be at most 1,000 characters.")],
        filters=[_stripped],
    )
    removes_authorization = BooleanField("Remove the stored header")

    def __init__(self, stored_for: str = "", **arguments: Any) -> None:
        super().__init__(**arguments)
        self._stored_for = stored_for

    @classmethod
    def of(cls, webhook: Webhook | None, **arguments: Any) -> WebhookForm:
        """For a webhook, or for a new one."""
        has_one = webhook is not None and webhook.sealed_authorization
        return cls(webhook.url if webhook is not None and has_one else "", **arguments)

    def wanted(self) -> Wanted:
        """What was typed; a header that nobody typed stays as it is."""
        header = "" if self.removes_authorization.data else (self.authorization.data or None)
        return Wanted(self.name.data or "", self.url.data or "", self.kinds.data or [], header)

    def validate_authorization(self, field: Field) -> None:
        if not (field.data.isascii() and field.data.isprintable()):
            raise ValidationError("Use letters, digits and signs of ASCII only.")
        if problem := named.problem_with(g.account.id, field.data):
            raise ValidationError(problem)
        if self._stored_for and not field.data and not self.removes_authorization.data:
            old, new = urlsplit(self._stored_for), urlsplit(self.url.data or "")
            if (old.scheme, old.netloc.lower()) != (new.scheme, new.netloc.lower()):
                raise ValidationError("Enter it again: the stored one is for another address.")

    def validate_name(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Give the webhook a name.")

    def validate_url(self, field: Field) -> None:
        if not field.data.isprintable() or any(letter.isspace() for letter in field.data):
            raise ValidationError("Must be an address without spaces.")
        try:
            check_url(field.data, current_settings().allow_private_addresses)
        except AdapterError as error:
            raise ValidationError(NOT_ALLOWED) from error

    def validate_kinds(self, field: Field) -> None:
        if not field.data:
            raise ValidationError("Choose at least one.")
