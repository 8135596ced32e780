"""The present password once more, before what changes how a person signs in."""

from __future__ import annotations

from datetime import timedelta

from flask import g, request
from flask_login import current_user

from portal.accounts import signing_in
from portal.database import db, utc_now
from portal.people.forms import ConfirmingForm

FRESH = timedelta(minutes=15)
SIGN_IN_AGAIN = (
    "You have no password that could be asked for, so this wants a sign-in of the last "
    "15 minutes. Sign out, sign in and come back."
)
WRONG = "This is not your present password."


def is_confirmed(form: ConfirmingForm) -> bool:
    """Whether the present password was typed; wrong ones are counted as at the sign-in.

    Whoever sits at an open browser must not change how its owner signs in. Who has no password,
    because another portal signs them in, must have come a moment ago.
    """
    if not current_user.password_hash:
        return _came_a_moment_ago(form)
    name, typed = current_user.username, form.current.data or ""
    result = signing_in.check(name, typed, request.remote_addr or "", utc_now())
    if not isinstance(result, signing_in.Refusal):
        return True
    db.session.commit()
    form.current.errors = [result.message if result.status == 429 else WRONG]
    return False


def _came_a_moment_ago(form: ConfirmingForm) -> bool:
    if g.user_session.created_at > utc_now() - FRESH:
        return True
    form.form_errors.append(SIGN_IN_AGAIN)
    return False
