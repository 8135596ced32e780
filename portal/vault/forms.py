"""The forms of API keys: what it is called, what it opens, how long it lasts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from portal.form_rules import without_nul

LIFETIMES = {
    "never": ("Never", None),
    "30": ("In 30 days", timedelta(days=30)),
    "90": ("In 90 days", timedelta(days=90)),
    "365": ("In 365 days", timedelta(days=365)),
}
OVERLAPS = {
    "0": ("Not at all", timedelta(0)),
    "1h": ("For 1 hour", timedelta(hours=1)),
    "24h": ("For 24 hours", timedelta(hours=24)),
    "7d": ("For 7 days", timedelta(days=7)),
}


class ClientsField(SelectMultipleField):
    """LLM clients by hashed id; only those that were offered."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        offered = {choice.value for choice in self.choices}
        if set(self.data or []) - offered:
            raise ValidationError("One of the LLM clients does not exist any more.")


def _stripped(text: str | None) -> str:
    return (text or "").strip()


class KeyForm(FlaskForm):
    """Name and clients; `clients` are pairs of hashed id and name."""

    name = StringField(
        "Name",
        [
            InputRequired("Give the key a name."),
            Length(max=100, message="Must be at most 100 characters."),
            without_nul,
        ],
        filters=[_stripped],
    )
    clients = ClientsField("LLM clients that it opens")

    def __init__(self, clients: list[tuple[str, str]], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.clients.choices = [SelectChoice(*pair) for pair in clients]

    def validate_name(self, field: StringField) -> None:
        if not field.data:
            raise ValidationError("Give the key a name.")


def _expiry(label: str) -> SelectField:
    choices = [SelectChoice(value, words) for value, (words, _) in LIFETIMES.items()]
    return SelectField(label, choices=choices, default="never")


class NewKeyForm(KeyForm):
    """A key that is to be made."""

    expiry = _expiry("Expires")


class RotateForm(FlaskForm):
    """How long both keys work, and how long the new one."""

    overlap = SelectField(
        "The old key goes on working",
        choices=[SelectChoice(value, words) for value, (words, _) in OVERLAPS.items()],
        default="24h",
    )
    expiry = _expiry("The new key expires")

    @property
    def overlap_time(self) -> timedelta:
        return OVERLAPS[self.overlap.data][1]


def expires_at(form: NewKeyForm | RotateForm, now: datetime) -> datetime | None:
    """When the key that a valid form describes ends; None for never."""
    lifetime = LIFETIMES[form.expiry.data][1]
    return now + lifetime if lifetime else None


def lifetime_choice(lifetime: timedelta | None) -> str:
    """The choice that comes nearest to how long a key was made for."""
    if lifetime is None:
        return "never"
    limited = {value: time for value, (_, time) in LIFETIMES.items() if time}
    return min(limited, key=lambda value: abs(limited[value] - lifetime))


class ConfirmForm(FlaskForm):
    """Only the token that every POST carries."""
