"""The form of a webhook: what it is called, where it is, what it is told."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import Field, SelectMultipleField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.database import current_settings
from portal.errors import AdapterError
from portal.form_rules import without_nul
from portal.notices.kinds import FOR_WEBHOOKS, RULES
from portal.outgoing import check_url

NOT_ALLOWED = "Must be an address on the public internet that starts with https://"


class KindsField(SelectMultipleField):
    """Kinds of notices, each with a box to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class WebhookForm(FlaskForm):
    """Of a new webhook, and of one that is changed."""

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
