"""The sign-in form."""

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.form_rules import without_nul


class SignInForm(FlaskForm):
    """User name and password; what is wrong is told in one sentence above."""

    username = StringField("User name", [InputRequired(), Length(max=254), without_nul])
    password = PasswordField("Password", [InputRequired(), Length(max=1000)])
    next = HiddenField()
