"""The forms of limits: empty fields leave the default; money is typed in units of the currency."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional
from wtforms.widgets import TextInput

from portal.form_rules import without_nul
from portal.limits import defaults
from portal.limits.models import Limits
from portal.providers.models import Provider

MICROS = Decimal(1_000_000)
LONGEST_NUMBER = 24


class WholeField(Field):
    """A whole number within bounds, thousands separated or not; None where nothing is typed."""

    widget = TextInput()

    def __init__(self, label: str, least: int, most: int, **arguments: Any) -> None:
        super().__init__(label, [Optional()], **arguments)
        self.least, self.most = least, most

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:,}"

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0] if valuelist else "").replace(",", "").strip()
        self.data = None
        if not text:
            return
        if text.isascii() and text.isdigit() and len(text) < LONGEST_NUMBER:
            self.data = int(text)
        if self.data is None or not self.least <= self.data <= self.most:
            self.data = None
            raise ValueError(f"Must be a whole number from {self.least:,} to {self.most:,}.")


class MoneyField(Field):
    """An amount in units of the currency, kept as micro-units; None where nothing is typed."""

    widget = TextInput()

    def __init__(self, label: str, **arguments: Any) -> None:
        super().__init__(label, [Optional()], **arguments)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        whole, rest = divmod(int(self.data), int(MICROS))
        places = f"{rest:06d}".rstrip("0").ljust(2, "0")
        return f"{whole}.{places}"

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = str(valuelist[0] if valuelist else "").replace(",", "").strip()
        self.data = None
        if not text:
            return
        try:
            micros = Decimal(text[:LONGEST_NUMBER]) * MICROS
        except InvalidOperation as error:
            raise ValueError("Must be an amount, such as 25 or 0.50.") from error
        fits = micros.is_finite() and 0 <= micros <= defaults.LARGEST_BUDGET
        if not fits or micros != micros.to_integral_value():
            raise ValueError("Must be from 0 to 1,000,000,000, with at most six decimals.")
        self.data = int(micros)


def _tokens(label: str) -> WholeField:
    return WholeField(label, 0, defaults.LARGEST_BUDGET)


class BudgetForm(FlaskForm):
    """What may be used in a day and in a month."""

    day_tokens = _tokens("Tokens a day")
    day_micros = MoneyField("Money a day")
    month_tokens = _tokens("Tokens a month")
    month_micros = MoneyField("Money a month")


class AccountLimitsForm(BudgetForm):
    """The whole account."""

    concurrent = WholeField("Answers at the same time", 1, defaults.LARGEST_CONCURRENT)


class KeyLimitsForm(BudgetForm):
    """One API key."""

    key_rate = WholeField("Prompts a minute", 1, defaults.LARGEST_RATE)


class ClientLimitsForm(BudgetForm):
    """One client; `providers` are those of the account."""

    address_rate = WholeField("Prompts a minute from one address", 1, defaults.LARGEST_RATE)
    session_rate = WholeField("Prompts a minute in one session", 1, defaults.LARGEST_RATE)
    concurrent = WholeField("Answers at the same time", 1, defaults.LARGEST_CONCURRENT)
    reached_words = TextAreaField(
        "What the assistant says then",
        [Length(max=1_000, message="Must be at most 1,000 characters."), without_nul],
    )
    cheaper_provider = SelectField("Cheaper provider")
    cheaper_model = StringField(
        "Cheaper model",
        [Length(max=200, message="Must be at most 200 characters."), without_nul],
    )

    def __init__(self, providers: list[Provider], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._providers = {provider.name: provider for provider in providers}
        self.cheaper_provider.choices = [
            SelectChoice(value="", label="None: the words are said"),
            *(SelectChoice(value=one.name, label=one.label or one.name) for one in providers),
        ]
        self.cheaper_provider.data = self.cheaper_provider.data or ""

    def validate_cheaper_model(self, field: StringField) -> None:
        provider = self._providers.get(self.cheaper_provider.data or "")
        field.data = (field.data or "").strip() if provider else ""
        if provider is not None and not field.data:
            field.data = provider.default_model
        if provider is not None and not field.data:
            raise ValidationError("Name a model; this provider has no default.")


def values_of(form: FlaskForm) -> dict[str, Any]:
    """The form's columns of Limits."""
    return {name: form[name].data for name in form.data if hasattr(Limits, name)}
