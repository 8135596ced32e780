"""A password that the portal itself has made: good for 72 hours, and only to choose another one."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from flask_login import current_user

from portal.accounts import passwords
from portal.accounts.models import User
from portal.people.forms import NewPasswordForm
from portal.web import error_page

# What a person may use before they have chosen a password of their own.
BEFORE_CHOICE = {
    "static",
    "accounts.password",
    "accounts.sessions",
    "accounts.revoke_session",
    "accounts.revoke_all_sessions",
    "accounts.logout",
    "accounts.theme",
}
NEEDED = "Your first password was made by the portal. Choose one of your own first."
THE_SAME = "This is the password that the portal has made. Choose one of your own."


def lead_to_choice() -> Any:
    """Before each request: nothing comes before a password of one's own."""
    if not current_user.is_authenticated or current_user.first_password_until is None:
        return None
    if request.endpoint in BEFORE_CHOICE:
        return None
    if request.method != "GET" or request.headers.get("X-Requested-With") == "fetch":
        return error_page(403, NEEDED)
    return redirect(url_for("accounts.password"), 303)


def is_kept(user: User, form: NewPasswordForm) -> bool:
    """Whether the first password would stay; then the form says so."""
    is_first = user.first_password_until is not None
    if is_first and passwords.matches(form.password.data or "", user.password_hash):
        form.password.errors = [THE_SAME]
        return True
    return False
