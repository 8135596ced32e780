"""The people of the account: who they are, what they may do, and taking them out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_login import current_user

from portal.accounts import audit, signing_in
from portal.accounts.models import Role, UserProfile
from portal.database import db, utc_now
from portal.people import invitations, membership, personal_tokens
from portal.people.forms import ROLE_HINTS, ConfirmForm, RoleForm, SignOutForm
from portal.people.membership import MembershipError
from portal.web import ADMIN, FormActor, permits, said

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.get("/")
@permits(ADMIN)
def index() -> str:
    """Everybody of the account by name."""
    after = request.args.get("after", "")
    rows, next_after = membership.page(g.account.id, after)
    return render_template(
        "users/index.html",
        rows=rows,
        invited=[] if after else invitations.pending(g.account.id),
        now=utc_now(),
        first_url=url_for(".index") if after else None,
        more_url=url_for(".index", after=next_after) if next_after else None,
    )


def member_or_404(profile_id: int) -> UserProfile:
    """Somebody who belongs to the account that is looked at."""
    found = membership.for_account(g.account.id, profile_id)
    if found is None:
        abort(404)
    return found


@blueprint.route("/<row_id:profile_id>/", methods=["GET", "POST"])
@permits(ADMIN)
def edit(profile_id: int) -> Any:
    """Give somebody another role."""
    profile = member_or_404(profile_id)
    form = RoleForm(data={"role": profile.role.value})
    if form.validate_on_submit() and _change(profile, form):
        return redirect(url_for(".index"), 303)
    page = render_template("users/edit.html", profile_of=profile, form=form, role_hints=ROLE_HINTS)
    return page, (422 if form.errors or form.form_errors else 200)


def _change(profile: UserProfile, form: RoleForm) -> bool:
    before, role, name = profile.role, Role(form.role.data), profile.user.username
    if role == before:
        said(f"{name} is {role.value} already.", "off")
        return True
    try:
        membership.change_role(profile, role, current_user.id, utc_now())
    except MembershipError as error:
        db.session.rollback()
        form.form_errors.append(str(error))
        return False
    told = {"role": before.value}, {"role": role.value}
    audit.record(FormActor(), "role_changed", profile, before=told[0], after=told[1], name=name)
    db.session.commit()
    said(f"{name} is {role.value} now and has to sign in again.")
    return True


@blueprint.route("/<row_id:profile_id>/sign-out", methods=["GET", "POST"])
@permits(ADMIN)
def sign_out(profile_id: int) -> Any:
    """End every session of somebody, as when a device is lost; they may sign in again."""
    profile, form, now = member_or_404(profile_id), SignOutForm(), utc_now()
    if not form.validate_on_submit():
        programs = _programs(profile, now)
        page = render_template("users/sign_out.html", who=profile, form=form, programs=programs)
        return page, (422 if form.errors else 200)
    signing_in.revoke_all(profile.user, now, but=g.user_session)
    audit.record(FormActor(), "person_signed_out", profile, name=profile.user.username)
    if form.revoke_tokens.data:
        _revoke_tokens(profile, now)
    db.session.commit()
    said(f"{profile.user.username} is signed out everywhere.")
    return redirect(url_for(".index"), 303)


def _programs(profile: UserProfile, now: datetime) -> int:
    """Tokens that work: of all accounts for who runs the platform, else of this account alone."""
    if current_user.is_superuser:
        return personal_tokens.how_many(profile.user, now)
    return len(personal_tokens.working(profile, now))


def _revoke_tokens(profile: UserProfile, now: datetime) -> None:
    if current_user.is_superuser:
        personal_tokens.revoke_everywhere(profile.user, FormActor(), now)
    elif personal_tokens.working(profile, now):
        personal_tokens.revoke_all(profile.id, now)
        name = profile.user.username
        audit.record(FormActor(), "personal_tokens_revoked", profile, name=name)


@blueprint.route("/<row_id:profile_id>/remove", methods=["GET", "POST"])
@permits(ADMIN)
def remove(profile_id: int) -> Any:
    """Take somebody out of the account."""
    profile, form = member_or_404(profile_id), ConfirmForm()
    if form.validate_on_submit() and _remove(profile, form):
        return redirect(url_for(".index"), 303)
    page = render_template("users/remove.html", profile_of=profile, form=form)
    return page, (422 if form.form_errors else 200)


def _remove(profile: UserProfile, form: ConfirmForm) -> bool:
    name, before = profile.user.username, {"role": profile.role.value}
    try:
        membership.remove(profile, current_user.id, utc_now())
    except MembershipError as error:
        db.session.rollback()
        form.form_errors.append(str(error))
        return False
    audit.record(FormActor(), "person_removed", profile, before=before, name=name)
    db.session.commit()
    said(f"{name} is removed. Their next request is refused.")
    return True
