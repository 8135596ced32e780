"""Invitations: an admin sends them, whoever has the address accepts."""

from __future__ import annotations

from typing import Any

from flask import abort, g, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user

from portal.accounts import audit, passwords
from portal.accounts.models import Role, UserProfile
from portal.adapters import current_adapters
from portal.database import db, utc_now
from portal.people import invitations, who_asks
from portal.people.actors import LinkActor
from portal.people.forms import ROLE_HINTS, InvitationForm, NewUserForm
from portal.people.invitations import InvitationError, Sent
from portal.people.models import Invitation
from portal.people.users_views import blueprint
from portal.people.views import blueprint as own
from portal.web import ADMIN, ANYBODY, FormActor, permits, said


@blueprint.route("/invite", methods=["GET", "POST"])
@permits(ADMIN)
def invite() -> Any:
    """Send somebody a link into the account."""
    form = InvitationForm()
    if form.validate_on_submit():
        role = Role(form.role.data)
        try:
            sent = invitations.invite(
                g.account, form.email.data or "", role, current_user, utc_now()
            )
        except InvitationError as error:
            db.session.rollback()
            form.email.errors = [error.public_message]
        else:
            return _sent("person_invited", sent)
    page = render_template(
        "users/invite.html",
        form=form,
        role_hints=ROLE_HINTS,
        has_server=current_adapters().mail_sender is not None,
    )
    return page, (422 if form.errors else 200)


def waiting_or_404(invitation_id: int) -> Invitation:
    """One of the account's that nobody has accepted."""
    found = invitations.for_account(g.account.id, invitation_id)
    if found is None:
        abort(404)
    return found


@blueprint.post("/invitations/<row_id:invitation_id>/resend")
@permits(ADMIN)
def resend(invitation_id: int) -> Any:
    """Another link for the same place; the one before ends."""
    row = waiting_or_404(invitation_id)
    try:
        sent = invitations.resend(row, current_user, utc_now())
    except InvitationError as error:
        db.session.rollback()
        said(error.public_message, "failed")
        return redirect(url_for(".index"), 303)
    return _sent("invitation_resent", sent)


def _sent(action: str, sent: Sent) -> Any:
    """Without a mail server the link is on the page that answers, and nowhere else."""
    told = {"email": sent.row.email, "role": sent.row.role.value}
    audit.record(FormActor(), action, sent.row, after=told, name=sent.row.email)
    db.session.commit()
    if not sent.is_mailed:
        return render_template("users/invited.html", invitation=sent.row, link=sent.link)
    said(f"The invitation is on its way to {sent.row.email}.")
    return redirect(url_for("users.index"), 303)


@blueprint.post("/invitations/<row_id:invitation_id>/revoke")
@permits(ADMIN)
def revoke(invitation_id: int) -> Any:
    """Take an invitation back."""
    row = waiting_or_404(invitation_id)
    invitations.revoke(row, utc_now())
    audit.record(FormActor(), "invitation_revoked", row, name=row.email)
    db.session.commit()
    said(f"The invitation of {row.email} is taken back. Its link does not work any more.")
    return redirect(url_for(".index"), 303)


@own.get("/invitation/<link_token:link_token>")
@permits(ANYBODY)
def follow_invitation(link_token: str) -> Any:
    """Keep the secret in the cookie, so that no page has it in its address."""
    session[who_asks.INVITATION] = link_token
    answer = make_response(redirect(url_for("accounts.invitation"), 303))
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@own.route("/invitation", methods=["GET", "POST"])
@permits(ANYBODY)
def invitation() -> Any:
    """Accept: somebody new chooses name and password, others join with a click."""
    now = utc_now()
    row = invitations.opened(str(session.get(who_asks.INVITATION, "")), now)
    if row is None:
        return render_template("accounts/link_gone.html", sentence=invitations.GONE), 404
    form = NewUserForm()
    if request.method == "POST" and current_user.is_authenticated:
        return _accepted(row, None)
    if form.validate_on_submit():
        return _accepted(row, form)
    page = render_template("accounts/invitation.html", invitation=row, form=form)
    return page, (422 if form.errors else 200)


def _accepted(row: Invitation, form: NewUserForm | None) -> Any:
    """Let them in; what was wrong is said on the same page."""
    try:
        profile = _admitted(row, form)
    except InvitationError as error:
        db.session.rollback()
        if form is not None:
            form.username.errors = [error.public_message]
        page = render_template(
            "accounts/invitation.html", invitation=row, form=form or NewUserForm()
        )
        return page, 422
    actor = LinkActor(row.account_id, profile.user_id, request.remote_addr or "")
    audit.record(actor, "invitation_accepted", row, name=profile.user.username)
    session.pop(who_asks.INVITATION, None)
    if form is not None:
        who_asks.start_session(profile.user, "invitation")
    else:
        who_asks.renew_session()
    db.session.commit()
    said(f"Welcome to {row.account.company_name}.")
    return redirect(url_for("overview.index"), 303)


def _admitted(row: Invitation, form: NewUserForm | None) -> UserProfile:
    now = utc_now()
    if form is None:
        profile = invitations.accept_as(row, current_user, now)
        g.user_session.account_id = row.account_id
        return profile
    db.session.rollback()  # nothing is held while the password is being hashed
    password_hash = passwords.hashed(form.password.data or "")
    return invitations.accept_as_new(row, form.username.data or "", password_hash, now)
