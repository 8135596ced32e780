"""Forms of signing in, of the people of an account, and of the platform's accounts."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, RadioField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.accounts.models import Role
from portal.form_rules import without_nul

ROLES = {
    Role.ADMIN: "Admin",
    Role.MEMBER: "Member",
    Role.VIEWER: "Viewer",
}
ROLE_CHOICES = [SelectChoice(role.value, word) for role, word in ROLES.items()]
ROLE_HINTS = {
    "admin": "Everything in the account: people, keys, providers, limits, every client.",
    "member": "Creates LLM clients and changes their own; sees the others.",
    "viewer": "Sees everything except what only admins see, and changes nothing.",
}


def stripped(text: str | None) -> str:
    return (text or "").strip()


class SignInForm(FlaskForm):
    """User name and password; what is wrong is told in one sentence above."""

    username = StringField("User name", [InputRequired(), Length(max=254), without_nul])
    password = PasswordField("Password", [InputRequired(), Length(max=1000)])
    next = HiddenField()


class ConfirmForm(FlaskForm):
    """Only the token that every POST carries."""


class RoleForm(FlaskForm):
    """What somebody may do in the account."""

    role = RadioField("Role", choices=ROLE_CHOICES)


class NewAccountForm(FlaskForm):
    """What an account is called, and where its days begin."""

    company_name = StringField(
        "Company",
        [
            InputRequired("Give the account a name."),
            Length(max=255, message="Must be at most 255 characters."),
            without_nul,
        ],
        filters=[stripped],
    )
    timezone = StringField("Time zone", [InputRequired("Name a time zone.")], default="UTC")

    def validate_company_name(self, field: StringField) -> None:
        if not field.data:
            raise ValidationError("Give the account a name.")

    def validate_timezone(self, field: StringField) -> None:
        if field.data not in available_timezones():
            raise ValidationError("Not a time zone. Write it like Europe/Berlin or UTC.")
