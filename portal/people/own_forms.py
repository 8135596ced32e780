"""Forms by which a person changes or ends their own ways in, with their API tokens if they want."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField

from portal.people.forms import ConfirmingForm, NewPasswordForm


class TokensTooForm(FlaskForm):
    """Whether the programs of a person lose their way in, too; yes unless they say no."""

    revoke_tokens = BooleanField("Revoke my API tokens, too", default=True)


class ChangePasswordForm(ConfirmingForm, NewPasswordForm, TokensTooForm):
    """The present password, and another one twice."""


class ResetPasswordForm(NewPasswordForm, TokensTooForm):
    """Another password twice, by a link."""


class EndSessionForm(ConfirmingForm):
    """The present password, to sign one browser out."""


class EndSessionsForm(ConfirmingForm, TokensTooForm):
    """The present password, to sign out everywhere."""
