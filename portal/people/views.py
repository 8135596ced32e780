"""Sign in and out, light and dark."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user, logout_user
from sqlalchemy import select

from portal.accounts import audit, signing_in
from portal.accounts.models import User
from portal.adapters import current_adapters
from portal.database import db, utc_now
from portal.people import entering, who_asks
from portal.people.forms import SignInForm
from portal.web import (
    ANYBODY,
    SIGNED_IN,
    FormActor,
    forget_in_browser,
    myself,
    permits,
    safe_next,
)

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/login")
@permits(ANYBODY)
def login() -> Any:
    """The sign-in form."""
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")), 303)
    return _page(SignInForm(data={"next": request.args.get("next", "")}))


def _page(form: SignInForm, message: str | None = None) -> str:
    provider = current_adapters().sign_on
    return render_template(
        "accounts/login.html",
        form=form,
        message=message,
        sign_on=provider.settings.name if provider else "",
    )


@blueprint.post("/login")
@permits(ANYBODY)
def sign_in() -> Any:
    """Sign in: a new session, never the one that was there before."""
    form = SignInForm()
    if not form.validate_on_submit():
        return _page(form, signing_in.WRONG.message), 422
    now, address = utc_now(), request.remote_addr or ""
    result = signing_in.check(form.username.data, form.password.data, address, now)
    if isinstance(result, signing_in.Refusal):
        _note_refusal(form.username.data, result)
        db.session.commit()
        headers = {"Retry-After": "60"} if result.status == 429 else {}
        return _page(form, result.message), result.status, headers
    signing_in.forget_failures(form.username.data, address, now)
    return entering.enter(result, form.next.data or "", "password", now)


def _note_refusal(typed: str, refusal: signing_in.Refusal) -> None:
    """Of a person who is known, in their accounts; else without the name, which may be a password.

    Not of tries that were not looked at any more: they could fill the log.
    """
    if refusal.status == 429:
        return
    told = who_asks.asked_by("password")
    user = db.session.scalar(select(User).where(User.username == signing_in.normal(typed)))
    if user is not None:
        audit.record_of_person(FormActor(), "sign_in_refused", user, after=told)
    else:
        audit.record(FormActor(), "sign_in_refused", after=told)


@blueprint.post("/logout")
@permits(SIGNED_IN)
def logout() -> Any:
    """End this session, here and in the database."""
    signing_in.revoke(g.user_session, utc_now())
    audit.record_of_person(FormActor(), "signed_out", myself())
    db.session.commit()
    logout_user()
    session.clear()
    return forget_in_browser(make_response(redirect(url_for("accounts.login"), 303)))


@blueprint.post("/theme")
@permits(SIGNED_IN)
def theme() -> Any:
    """Light, dark, or what the system says."""
    wanted = request.form.get("theme", "")
    current_user.theme = wanted if wanted in ("light", "dark") else ""
    db.session.commit()
    return redirect(safe_next(request.form.get("next")), 303)
