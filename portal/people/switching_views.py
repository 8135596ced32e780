"""From one account to another; for superusers also into those of others, and new ones."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_login import current_user

from portal.accounts import audit, opening
from portal.accounts.models import Account, UserProfile
from portal.database import db, utc_now
from portal.people import personal_tokens, platform, who_asks
from portal.people.forms import NewAccountForm
from portal.people.views import blueprint as own
from portal.providers import finding
from portal.web import SIGNED_IN, SUPERUSER, FormActor, number_argument, permits, said

blueprint = Blueprint("platform", __name__, url_prefix="/accounts")


@own.post("/account/switch")
@permits(SIGNED_IN)
def switch() -> Any:
    """Look at another of one's accounts."""
    wanted = request.form.get("account_id", type=int)
    chosen = next((profile for profile in g.profiles if profile.account_id == wanted), None)
    if chosen is None:
        abort(404)
    _look_at(chosen.account)
    audit.record(FormActor(), "switched_account", g.account, name=g.account.company_name)
    db.session.commit()
    return redirect(url_for("overview.index"), 303)


def _look_at(account: Account) -> None:
    g.user_session.account_id = account.id
    g.account = account


@blueprint.get("/")
@permits(SUPERUSER)
def index() -> str:
    """Every account of the platform, newest first."""
    before = number_argument("before")
    rows, older = platform.page(before)
    return render_template(
        "platform/index.html",
        rows=rows,
        newest_url=url_for(".index") if before else None,
        older_url=url_for(".index", before=older) if older else None,
    )


@blueprint.route("/new", methods=["GET", "POST"])
@permits(SUPERUSER)
def new() -> Any:
    """An account without people; its maker looks in as a guest and invites its first admin."""
    form = NewAccountForm()
    if form.validate_on_submit():
        account = opening.empty_account(form.company_name.data, form.timezone.data)
        finding.add_first(account)
        profile = platform.enter(account, current_user)
        _look_at(account)
        audit.record(FormActor(), "account_created", account, name=account.company_name)
        _enter(profile, f"{account.company_name} is there. Invite its first admin.")
        return redirect(url_for("users.index"), 303)
    page = render_template("platform/new.html", form=form)
    return page, (422 if form.errors else 200)


@blueprint.post("/<row_id:entered_id>/enter")
@permits(SUPERUSER)
def enter(entered_id: int) -> Any:
    """Look into an account as a guest with an admin's role; its people see that."""
    account = platform.account(entered_id)
    if account is None:
        abort(404)
    profile = platform.enter(account, current_user)
    _look_at(account)
    _enter(profile, f"You look at {account.company_name}.")
    return redirect(url_for("overview.index"), 303)


def _enter(profile: UserProfile, message: str) -> None:
    """Another token for what the session may do now; the account's audit log says who came."""
    who_asks.renew_session()
    audit.record(FormActor(), "entered_account", profile.account, name=profile.account.company_name)
    db.session.commit()
    said(message)


@own.post("/account/leave")
@permits(SIGNED_IN)
def leave() -> Any:
    """A guest goes; nobody else leaves by himself."""
    if not g.profile.is_guest:
        abort(404)
    g.profile.removed_at = utc_now()
    personal_tokens.revoke_all(g.profile.id, utc_now())
    audit.record(FormActor(), "left_account", g.account, name=g.account.company_name)
    who_asks.renew_session()
    db.session.commit()
    said(f"You have left {g.account.company_name}.")
    return redirect(url_for("overview.index"), 303)
