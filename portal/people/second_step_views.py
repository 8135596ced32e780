"""The second step of signing in: a code of the app, or one of the recovery codes."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, url_for

from portal.accounts import audit
from portal.accounts.models import User
from portal.database import db, utc_now
from portal.people import second_factors, second_step, who_asks
from portal.people.forms import CodeForm
from portal.people.views import blueprint
from portal.web import ANYBODY, FormActor, permits, safe_next, said

WRONG = "This code is not right, or it was used already. Wait for the next one."
SHUT = "Too many wrong codes. Try again in 15 minutes."


@blueprint.route("/login/code", methods=["GET", "POST"])
@permits(ANYBODY)
def code() -> Any:
    """Ask for the code of whoever had the right password."""
    found = second_step.waiting(utc_now())
    if found is None:
        said("That took too long. Sign in again.", "attention")
        return redirect(url_for("accounts.login"), 303)
    (user, target, way), form = found, CodeForm()
    if form.validate_on_submit():
        second, refused = _second_factor(user, way, form)
        if not refused:
            who_asks.start_session(user, f"{way} and {second}")
            return redirect(safe_next(target), 303)
        form.code.errors = [refused]
    page = render_template("accounts/code.html", form=form, target=target)
    return page, (429 if SHUT in form.code.errors else 422 if form.errors else 200)


def _second_factor(user: User, first: str, form: CodeForm) -> tuple[str, str]:
    """What the code was, and why it opens nothing; "" where it does."""
    now = utc_now()
    if second_factors.is_shut(user, now):
        return "", SHUT
    way = second_factors.accept(user, form.code.data or "", now)
    if way == "recovery":
        audit.record_of_person(FormActor(), "recovery_code_used", user)
    if not way:
        told = who_asks.asked_by(f"{first} and code")
        audit.record_of_person(FormActor(), "code_refused", user, after=told)
        db.session.commit()
    return ("recovery code" if way == "recovery" else "app"), ("" if way else WRONG)
