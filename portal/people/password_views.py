"""A forgotten password, and a new one."""

from __future__ import annotations

from typing import Any

from flask import make_response, redirect, render_template, request, session, url_for

from portal.accounts import audit, passwords
from portal.adapters import current_adapters
from portal.database import db, utc_now
from portal.people import first_password_views, new_passwords, one_time_links, personal_tokens
from portal.people.actors import LinkActor
from portal.people.forms import ForgottenForm
from portal.people.models import OneTimeLink, Purpose
from portal.people.one_time_links import LinkError
from portal.people.own_forms import ResetPasswordForm
from portal.people.views import blueprint
from portal.web import ANYBODY, permits, said

KEPT = "password_link"  # in the cookie: the secret of a link that was followed
TOO_OFTEN = "Too many wishes for a new password. Try again in 15 minutes."


@blueprint.route("/forgot-password", methods=["GET", "POST"])
@permits(ANYBODY)
def forgot_password() -> Any:
    """The same answer, in words and in time, whether or not anybody is meant."""
    form = ForgottenForm()
    has_server = current_adapters().mail_sender is not None
    if has_server and form.validate_on_submit():
        address = request.remote_addr or ""
        if new_passwords.wish(form.who.data or "", address, utc_now()):
            db.session.commit()
            return render_template("accounts/password_on_its_way.html")
        form.who.errors = [TOO_OFTEN]
    page = render_template("accounts/forgot_password.html", form=form, has_server=has_server)
    return page, (429 if TOO_OFTEN in form.who.errors else 422 if form.errors else 200)


@blueprint.get("/reset-password/<link_token:link_token>")
@permits(ANYBODY)
def follow_password_link(link_token: str) -> Any:
    """Keep the secret in the cookie, so that no page has it in its address."""
    session[KEPT] = link_token
    answer = make_response(redirect(url_for(".reset_password"), 303))
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@blueprint.route("/reset-password", methods=["GET", "POST"])
@permits(ANYBODY)
def reset_password() -> Any:
    """Choose another password; then one signs in with it, everywhere anew."""
    link = one_time_links.opened(str(session.get(KEPT, "")), Purpose.PASSWORD, utc_now())
    if link is None:
        return _gone()
    form = ResetPasswordForm()
    form.username = link.user.username
    if form.validate_on_submit() and not first_password_views.is_kept(link.user, form):
        try:
            return _replaced(link, form)
        except LinkError:
            db.session.rollback()
            return _gone()
    programs = personal_tokens.how_many(link.user, utc_now())
    page = render_template("accounts/reset_password.html", link=link, form=form, programs=programs)
    return page, (422 if form.errors else 200)


def _gone() -> Any:
    sentence = one_time_links.GONE[Purpose.PASSWORD]
    return render_template("accounts/link_gone.html", sentence=sentence), 404


def _replaced(link: OneTimeLink, form: ResetPasswordForm) -> Any:
    db.session.rollback()  # nothing is held while the password is being hashed
    password_hash = passwords.hashed(form.password.data or "")
    now, address = utc_now(), request.remote_addr or ""
    one_time_links.use(link, now)
    user = link.user
    new_passwords.replace(user, password_hash, address, now)
    actor = LinkActor(new_passwords.first_account_of(user), user.id, address)
    audit.record_of_person(actor, "password_reset", user)
    if form.revoke_tokens.data:
        personal_tokens.revoke_everywhere(user, actor, now)
    db.session.commit()
    session.clear()
    said("Your password is changed. Sign in with it; you are signed out everywhere else.")
    return redirect(url_for("accounts.login"), 303)
