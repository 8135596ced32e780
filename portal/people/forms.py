"""Forms of signing in, of the people of an account, and of the platform's accounts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Regexp

from portal.accounts import passwords
from portal.accounts.models import Role
from portal.database import current_settings
from portal.form_rules import MAIL_ADDRESS, without_nul

ROLES = {
    Role.ADMIN: "Admin",
    Role.MEMBER: "Member",
    Role.VIEWER: "Viewer",
}
CURRENCIES = ("USD", "EUR", "GBP", "CHF", "JPY")
ROLE_CHOICES = [SelectChoice(role.value, word) for role, word in ROLES.items()]
ROLE_HINTS = {
    "admin": "Everything in the account: people, keys, providers, limits, every client.",
    "member": "Creates LLM clients and changes their own; sees the others.",
    "viewer": "Sees everything except what only admins see, and changes nothing.",
}


USERNAME = re.compile(r"[a-z][a-z0-9_-]{1,31}\Z")


def lowered(text: str | None) -> str:
    return (text or "").strip().lower()


def stripped(text: str | None) -> str:
    return (text or "").strip()


class SignInForm(FlaskForm):
    """User name and password; what is wrong is told in one sentence above."""

    username = StringField("User name", [InputRequired(), Length(max=254), without_nul])
    password = PasswordField("Password", [InputRequired(), Length(max=1000)])
    next = HiddenField()


class ConfirmForm(FlaskForm):
    """Only the token that every POST carries."""


class SignOutForm(FlaskForm):
    """Ends somebody's sessions; whether their programs go on, too."""

    revoke_tokens = BooleanField("Revoke their API tokens, too", default=True)


class RoleForm(FlaskForm):
    """What somebody may do in the account."""

    role = RadioField("Role", choices=ROLE_CHOICES)


class MailAddressForm(FlaskForm):
    """One mail address, in small letters from here on."""

    email = EmailField(
        "Mail address",
        [
            InputRequired("Enter the mail address."),
            Length(max=254, message="Must be at most 254 characters."),
            Regexp(MAIL_ADDRESS, message="This is not a mail address."),
            without_nul,
        ],
        filters=[lowered],
    )


class InvitationForm(MailAddressForm):
    """Whom an admin wants in the account, and as what."""

    role = RadioField("Role", choices=ROLE_CHOICES, default=Role.MEMBER.value)


class NewPasswordForm(FlaskForm):
    """A password that is chosen, typed once more against slips of the hand."""

    username = ""
    password = PasswordField(
        "New password",
        [
            InputRequired("Choose a password."),
            Length(
                min=passwords.MIN_LENGTH,
                max=passwords.MAX_LENGTH,
                message=f"Must have {passwords.MIN_LENGTH} to {passwords.MAX_LENGTH} characters.",
            ),
            without_nul,
        ],
    )
    again = PasswordField("The same once more", [InputRequired("Type the password once more.")])

    def validate_password(self, field: PasswordField) -> None:
        if passwords.is_easy(field.data, self._names()):
            raise ValidationError("Too easy to guess. Take three or four words that do not belong.")
        if passwords.is_common(field.data) or passwords.is_breached(
            field.data, current_settings().breached_passwords
        ):
            raise ValidationError(
                "Many people have this password, or it got out of some other site, so it is among "
                "the first that are tried. "
                "Take three or four words that do not belong."
            )

    def validate_again(self, field: PasswordField) -> None:
        if field.data != self.password.data:
            raise ValidationError("This is not the same password.")

    def _names(self) -> tuple[str, ...]:
        """What the password must not be: the person’s own names."""
        return (self.username,)


class ConfirmingForm(FlaskForm):
    """A change that wants the present password once more."""

    current = PasswordField(
        "Present password", [InputRequired("Type your present password."), Length(max=1000)]
    )

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        if not current_user.password_hash:
            del self.current


class CodeForm(FlaskForm):
    """Six digits of an app, or a recovery code."""

    code = StringField("Code", [InputRequired("Type the code."), Length(max=60), without_nul])


class ChangeMailForm(ConfirmingForm, MailAddressForm):
    """The present password, and another address."""


class ForgottenForm(FlaskForm):
    """Whose password is forgotten."""

    who = StringField(
        "User name or mail address",
        [InputRequired("Enter your user name or mail address."), Length(max=254), without_nul],
        filters=[lowered],
    )


TOKEN_LIFETIMES = {"30": "30 days", "90": "90 days", "365": "365 days"}


class TokenForm(ConfirmingForm):
    """What a token for the API is called, what it may do, and for how long."""

    name = StringField(
        "Name",
        [
            InputRequired("Give the token a name."),
            Length(max=60, message="Must be at most 60 characters."),
            without_nul,
        ],
        filters=[stripped],
    )
    may_write = SelectField(
        "It may",
        choices=[
            SelectChoice("read", "Read"),
            SelectChoice("write", "Read and change, as you may"),
        ],
        default="read",
    )
    days = SelectField(
        "It works for",
        choices=[SelectChoice(value, words) for value, words in TOKEN_LIFETIMES.items()],
        default="90",
    )

    def validate_name(self, field: StringField) -> None:
        if not field.data:
            raise ValidationError("Give the token a name.")

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=int(self.days.data))


class PasskeyForm(ConfirmingForm):
    """What a passkey is called, so that one knows it among others."""

    name = StringField(
        "Name",
        [
            InputRequired("Give the passkey a name."),
            Length(max=60, message="Must be at most 60 characters."),
            without_nul,
        ],
        filters=[stripped],
    )

    def validate_name(self, field: StringField) -> None:
        if not field.data:
            raise ValidationError("Give the passkey a name.")


class PasskeyAnswerForm(FlaskForm):
    """What a device has answered, as JSON."""

    credential = HiddenField(
        validators=[InputRequired("The device has not answered."), without_nul]
    )
    next = HiddenField()


class NewUserForm(NewPasswordForm):
    """Somebody new: how they sign in from now on."""

    username = StringField(
        "User name",
        [
            InputRequired("Choose a user name."),
            Regexp(USERNAME, message="2 to 32 letters, digits, - and _, beginning with a letter."),
        ],
        filters=[lowered],
    )

    def _names(self) -> tuple[str, ...]:
        return (self.username.data or "",)


class AccountNameForm(FlaskForm):
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


class NewAccountForm(AccountNameForm):
    """An account that is to be made."""


class AccountForm(AccountNameForm):
    """What holds for everybody of an account."""

    currency = SelectField("Currency", choices=[SelectChoice(code, code) for code in CURRENCIES])
    requires_second_factor = BooleanField("Everybody needs a second factor")
    audit_days = IntegerField(
        "Days that the audit log is kept",
        [
            InputRequired("Write a number of days."),
            NumberRange(30, 3_650, "Must be between 30 and 3,650."),
        ],
    )
