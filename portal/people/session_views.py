"""Where a person is signed in, and how to end it."""

from __future__ import annotations

from typing import Any

from flask import abort, g, make_response, redirect, render_template, session, url_for
from flask_login import current_user, logout_user

from portal.accounts import audit, signing_in
from portal.database import db, utc_now
from portal.people import devices, personal_tokens, sign_ins
from portal.people.confirming import is_confirmed
from portal.people.own_forms import EndSessionForm, EndSessionsForm
from portal.people.views import blueprint
from portal.web import (
    SIGNED_IN,
    FormActor,
    forget_in_browser,
    myself,
    number_argument,
    permits,
    said,
)


@blueprint.get("/account/sessions")
@permits(SIGNED_IN)
def sessions() -> str:
    """Every browser that is signed in, latest use first."""
    found = signing_in.open_sessions(current_user, utc_now())
    rows = [devices.row(entry, is_current=entry.id == g.user_session.id) for entry in found]
    return render_template("accounts/sessions.html", rows=rows)


@blueprint.get("/account/sessions/sign-ins")
@permits(SIGNED_IN)
def own_sign_ins() -> str:
    """Whoever signed in as this person, or tried to, newest first."""
    before, kept_by = number_argument("before"), sign_ins.account_of(current_user)
    rows, older = sign_ins.page(current_user, kept_by, before)
    return render_template(
        "accounts/sign_ins.html",
        rows=rows,
        kept_by=kept_by,
        newest_url=url_for(".own_sign_ins") if before else None,
        older_url=url_for(".own_sign_ins", before=older) if older else None,
    )


@blueprint.route("/account/sessions/<row_id:session_id>/revoke", methods=["GET", "POST"])
@permits(SIGNED_IN)
def revoke_session(session_id: int) -> Any:
    """Sign one browser out, after the present password."""
    found, form = signing_in.session_for_user(current_user, session_id), EndSessionForm()
    if found is None or found.revoked_at is not None:
        abort(404)
    if form.validate_on_submit() and is_confirmed(form):
        signing_in.revoke(found, utc_now())
        audit.record_of_person(FormActor(), "session_revoked", myself())
        db.session.commit()
        said("That browser is signed out.")
        return redirect(url_for("accounts.sessions"), 303)
    row = devices.row(found, is_current=found.id == g.user_session.id)
    page = render_template("accounts/revoke_session.html", form=form, row=row)
    return page, (422 if form.errors else 200)


@blueprint.route("/account/sessions/revoke-all", methods=["GET", "POST"])
@permits(SIGNED_IN)
def revoke_all_sessions() -> Any:
    """Sign out everywhere, this browser included, after the present password."""
    form, now = EndSessionsForm(), utc_now()
    if not (form.validate_on_submit() and is_confirmed(form)):
        programs = personal_tokens.how_many(current_user, now)
        page = render_template("accounts/revoke_sessions.html", form=form, programs=programs)
        return page, (422 if form.errors else 200)
    signing_in.revoke_all(current_user, now)
    audit.record_of_person(FormActor(), "signed_out_everywhere", myself())
    if form.revoke_tokens.data:
        personal_tokens.revoke_everywhere(current_user, FormActor(), now)
    db.session.commit()
    logout_user()
    session.clear()
    return forget_in_browser(make_response(redirect(url_for("accounts.login"), 303)))
