"""The forms of what is kept: how long, what is hidden, what is erased."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import IntegerField, SelectMultipleField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget, TextInput

from portal.form_rules import without_nul
from portal.request_history import redaction
from portal.request_history.redaction import KINDS, MOST_OWN

LONGEST_DAYS = 3_650


def _days(label: str) -> IntegerField:
    wrong = f"Must be a whole number of days from 1 to {LONGEST_DAYS:,}."
    return IntegerField(
        label,
        [InputRequired(wrong), NumberRange(1, LONGEST_DAYS, wrong)],
        widget=TextInput(),
    )


class KeepingForm(FlaskForm):
    """How long an account keeps what, and what it never writes down."""

    bodies_days = _days("Days for what was said")
    rows_days = _days("Days for the requests themselves")
    kinds = SelectMultipleField(
        "Hide before it is written",
        choices=[SelectChoice(kind, words) for kind, (words, *_) in KINDS.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        validate_choice=True,
    )
    own = TextAreaField("Your own words to hide", [without_nul])

    def validate_rows_days(self, field: IntegerField) -> None:
        if field.data and self.bodies_days.data and field.data < self.bodies_days.data:
            raise ValidationError("Must be at least as long as what was said is kept.")

    def validate_own(self, field: TextAreaField) -> None:
        if len(self.own_words) > MOST_OWN:
            raise ValidationError(f"At most {MOST_OWN} lines.")
        problems = [problem for line in self.own_words if (problem := redaction.problem_of(line))]
        if problems:
            raise ValidationError(" ".join(problems))

    @property
    def own_words(self) -> list[str]:
        """A line each, single spaces, no empty ones."""
        lines = (" ".join(line.split()) for line in (self.own.data or "").splitlines())
        return list(dict.fromkeys(line for line in lines if line))


class EraseForm(FlaskForm):
    """The name of what is erased, typed."""

    confirm_name = StringField("Name", [without_nul])
