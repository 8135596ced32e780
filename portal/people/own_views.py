"""What belongs to a person alone: name, password, mail address."""

from __future__ import annotations

from typing import Any

from flask import g, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user

from portal.accounts import audit, passwords
from portal.adapters import current_adapters
from portal.database import db, utc_now
from portal.people import (
    first_password_views,
    mail_addresses,
    new_passwords,
    one_time_links,
    personal_tokens,
    who_asks,
)
from portal.people.actors import LinkActor
from portal.people.confirming import is_confirmed
from portal.people.forms import ChangeMailForm, ConfirmForm
from portal.people.models import Purpose
from portal.people.one_time_links import LinkError
from portal.people.own_forms import ChangePasswordForm
from portal.people.views import blueprint
from portal.web import ANYBODY, SIGNED_IN, FormActor, myself, permits, said

KEPT = "mail_link"  # in the cookie: the secret of a link that was followed


@blueprint.get("/account/")
@permits(SIGNED_IN)
def profile() -> str:
    """Who one is here."""
    provider = current_adapters().sign_on
    return render_template(
        "accounts/profile.html", sign_on=provider.settings.name if provider else ""
    )


@blueprint.route("/account/password", methods=["GET", "POST"])
@permits(SIGNED_IN)
def password() -> Any:
    """Another password; every other session ends, this one gets another token."""
    form = ChangePasswordForm()
    form.username = current_user.username
    was_first = current_user.first_password_until is not None
    if _may_change_password(form):
        db.session.rollback()  # nothing is held while the password is being hashed
        password_hash = passwords.hashed(form.password.data or "")
        now, address = utc_now(), request.remote_addr or ""
        new_passwords.replace(current_user, password_hash, address, now, but=g.user_session)
        audit.record_of_person(FormActor(), "password_changed", myself())
        if form.revoke_tokens.data:
            personal_tokens.revoke_everywhere(current_user, FormActor(), now)
        who_asks.renew_session()
        db.session.commit()
        said("Your password is changed. You are signed out everywhere else.")
        return redirect(url_for("overview.index" if was_first else ".profile"), 303)
    programs = personal_tokens.how_many(current_user, utc_now())
    page = render_template("accounts/password.html", form=form, programs=programs)
    return page, (422 if form.errors else 200)


def _may_change_password(form: ChangePasswordForm) -> bool:
    is_right = form.validate_on_submit() and is_confirmed(form)
    return is_right and not first_password_views.is_kept(myself(), form)


@blueprint.route("/account/mail", methods=["GET", "POST"])
@permits(SIGNED_IN)
def mail() -> Any:
    """Another mail address, which holds when the link that is sent there was followed."""
    form = ChangeMailForm()
    has_server = current_adapters().mail_sender is not None
    if has_server and form.validate_on_submit() and is_confirmed(form):
        email = form.email.data or ""
        if mail_addresses.send_link(current_user, g.account.id, email, utc_now()):
            told = {"email": email}
            audit.record_of_person(FormActor(), "mail_change_asked", myself(), after=told)
            db.session.commit()
            said(f"A link is on its way to {email}. The address holds when you have followed it.")
            return redirect(url_for(".profile"), 303)
        form.email.errors = [mail_addresses.TOO_MANY]
    page = render_template("accounts/mail.html", form=form, has_server=has_server)
    return page, (422 if form.errors else 200)


@blueprint.get("/confirm-mail/<link_token:link_token>")
@permits(ANYBODY)
def follow_mail_link(link_token: str) -> Any:
    """Keep the secret in the cookie, so that no page has it in its address."""
    session[KEPT] = link_token
    answer = make_response(redirect(url_for(".confirm_mail"), 303))
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@blueprint.route("/confirm-mail", methods=["GET", "POST"])
@permits(ANYBODY)
def confirm_mail() -> Any:
    """A click, because programs that read mails follow their links too."""
    now, form = utc_now(), ConfirmForm()
    link = one_time_links.opened(str(session.get(KEPT, "")), Purpose.MAIL, now)
    if link is None:
        return _gone()
    if not form.validate_on_submit():
        return render_template("accounts/confirm_mail.html", link=link)
    user, before = link.user, link.user.email
    try:
        mail_addresses.change(link, now)
    except LinkError:
        db.session.rollback()
        return _gone()
    actor = LinkActor(new_passwords.first_account_of(user), user.id, request.remote_addr or "")
    told = {"email": before}, {"email": user.email}
    audit.record_of_person(actor, "mail_changed", user, before=told[0], after=told[1])
    db.session.commit()
    session.pop(KEPT, None)
    said(f"Mails for {user.username} go to {user.email} from now on.")
    return redirect(url_for("accounts.profile" if g.profile else "accounts.login"), 303)


def _gone() -> Any:
    sentence = one_time_links.GONE[Purpose.MAIL]
    return render_template("accounts/link_gone.html", sentence=sentence), 404
