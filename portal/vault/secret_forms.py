"""The forms of named secrets; a value goes in and never comes out."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, StringField, ValidationError
from wtforms.validators import InputRequired, Length

from portal.form_rules import without_nul
from portal.vault import named

LONGEST_VALUE = 10_000


class ValueForm(FlaskForm):
    """A value to be stored in place of another one."""

    value = PasswordField(
        "Value",
        [
            InputRequired("Enter the value."),
            Length(max=LONGEST_VALUE, message="Must be at most 10,000 characters."),
            without_nul,
        ],
    )

    def validate_value(self, field: Field) -> None:
        if (field.data or "").startswith(named.PREFIX):
            raise ValidationError("A secret cannot refer to another one.")
        if field.data != (field.data or "").strip():
            raise ValidationError("Leave out the spaces and line breaks around it.")


class SecretForm(ValueForm):
    """Another secret: its name stays, since it is what refers to it."""

    name = StringField("Name", [InputRequired("Give the secret a name.")])

    def validate_name(self, field: Field) -> None:
        field.data = (field.data or "").strip()
        if not named.NAME.match(field.data):
            raise ValidationError(
                "Must be lower-case letters, digits, dots, - and _, first a letter or digit,"
                " at most 100."
            )


class DeleteSecretForm(FlaskForm):
    """Only the token that every POST carries."""
