"""The account's API keys: list, new, show, edit, rotate, revoke.

A key's text is on the page that answers the POST which made it, and nowhere else: not in the
session, an address, the log or the audit log.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from flask_login import current_user

from portal.accounts import audit
from portal.database import db, utc_now
from portal.llm_clients import key_attaching
from portal.llm_clients.key_attaching import ClientName
from portal.llm_clients.pages import keys_page
from portal.vault import keys
from portal.vault.forms import (
    ConfirmForm,
    KeyForm,
    NewKeyForm,
    RotateForm,
    expires_at,
    lifetime_choice,
)
from portal.vault.keys import NewKey
from portal.vault.models import AuthToken
from portal.web import ADMIN, VIEWER, FormActor, number_argument, permits, said

blueprint = Blueprint("api_keys", __name__, url_prefix="/api-keys")


def owned_or_404(api_key_id: int) -> AuthToken:
    """The account's key, held until the commit where it is about to be changed."""
    found = keys.for_account(g.account.id, api_key_id, lock=request.method == "POST")
    if found is None:
        abort(404)
    return found


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """All keys of the account, newest first."""
    before = number_argument("before")
    found, older = keys.page(g.account.id, before)
    return render_template(
        "api_keys/index.html",
        rows=keys_page.rows(found, utc_now()),
        newest_url=url_for(".index") if before else None,
        older_url=url_for(".index", before=older) if older else None,
    )


def _offered() -> dict[str, ClientName]:
    return {client.hashed_id: client for client in key_attaching.clients_of_account(g.account)}


def _choices(offered: dict[str, ClientName]) -> list[tuple[str, str]]:
    return [(hashed_id, client.name) for hashed_id, client in offered.items()]


def _owners(offered: dict[str, ClientName]) -> dict[str, str]:
    """Two people may use one name, so each choice says whose it is."""
    return {hashed_id: f"of {client.owner}" for hashed_id, client in offered.items()}


@blueprint.route("/new", methods=["GET", "POST"])
@permits(ADMIN)
def new() -> Any:
    """A new key; `?llm_client=` marks the one that it is for."""
    offered = _offered()
    asked_for = request.args.get("llm_client", "")
    form = NewKeyForm(_choices(offered), data={"clients": [asked_for] if asked_for else []})
    if form.validate_on_submit():
        made = keys.make(g.account.id, form.name.data, current_user, expires_at(form, utc_now()))
        wanted = [offered[hashed_id] for hashed_id in form.clients.data]
        key_attaching.set_clients(made.row, wanted)
        audit.record(FormActor(), "api_key_created", made.row, after=_told(made.row, wanted))
        db.session.commit()
        return _shown_once(made)
    page = render_template("api_keys/new.html", form=form, owners=_owners(offered))
    return page, (422 if form.errors else 200)


def _told(key: AuthToken, clients: list[ClientName]) -> dict[str, Any]:
    """What the audit log has of a key: never its text."""
    return {
        "prefix": key.prefix,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
        "llm_clients": [client.name for client in clients],
    }


def _shown_once(made: NewKey) -> str:
    [row] = keys_page.rows([made.row], utc_now())
    return render_template("api_keys/created.html", row=row, key_text=made.text)


@blueprint.get("/<row_id:api_key_id>/")
@permits(VIEWER)
def show(api_key_id: int) -> str:
    """One key: what it opens and how it stands."""
    [row] = keys_page.rows([owned_or_404(api_key_id)], utc_now())
    return render_template("api_keys/show.html", row=row)


@blueprint.route("/<row_id:api_key_id>/edit", methods=["GET", "POST"])
@permits(ADMIN)
def edit(api_key_id: int) -> Any:
    """Change the name and what the key opens."""
    key, offered = owned_or_404(api_key_id), _offered()
    attached = [client.hashed_id for client in key_attaching.clients_by_key([key])[key.id]]
    form = KeyForm(_choices(offered), data={"name": key.name, "clients": attached})
    if form.validate_on_submit():
        was, key.name = key.name, form.name.data
        wanted = [offered[hashed_id] for hashed_id in form.clients.data]
        before, after = key_attaching.set_clients(key, wanted)
        audit.record(
            FormActor(),
            "api_key_changed",
            key,
            before={"name": was, "llm_clients": before},
            after={"name": key.name, "llm_clients": after},
        )
        db.session.commit()
        said(f"{key.name} is saved. It holds from the next request on.")
        return redirect(url_for(".show", api_key_id=key.id), 303)
    page = render_template("api_keys/edit.html", key=key, form=form, owners=_owners(offered))
    return page, (422 if form.errors else 200)


@blueprint.route("/<row_id:api_key_id>/rotate", methods=["GET", "POST"])
@permits(ADMIN)
def rotate(api_key_id: int) -> Any:
    """A new key with the same clients; the old one works on for the time that is chosen."""
    key, now = owned_or_404(api_key_id), utc_now()
    if not key.is_valid(now) or key.replaced_by_id is not None:
        return _ended_already(key)
    lifetime = key.expires_at - key.created_at if key.expires_at else None
    form = RotateForm(data={"expiry": lifetime_choice(lifetime)})
    if form.validate_on_submit():
        clients = key_attaching.clients_by_key([key])[key.id]
        made = keys.rotate(key, current_user, now, form.overlap_time, expires_at(form, now))
        key_attaching.set_clients(made.row, clients)
        old_ends = (key.expires_at or now).isoformat() if key.is_active else now.isoformat()
        audit.record(
            FormActor(),
            "api_key_rotated",
            key,
            before={"prefix": key.prefix, "ends_at": old_ends},
            after=_told(made.row, clients),
        )
        db.session.commit()
        return _shown_once(made)
    [row] = keys_page.rows([key], now)
    page = render_template("api_keys/rotate.html", row=row, form=form)
    return page, (422 if form.errors else 200)


def _ended_already(key: AuthToken) -> Any:
    said(f"{key.name} is {keys_page.status_of(key, utc_now()).word.lower()} already.", "off")
    return redirect(url_for(".show", api_key_id=key.id), 303)


@blueprint.route("/<row_id:api_key_id>/revoke", methods=["GET", "POST"])
@permits(ADMIN)
def revoke(api_key_id: int) -> Any:
    """Refuse a key everywhere from the next request on."""
    key, now = owned_or_404(api_key_id), utc_now()
    if not key.is_valid(now):
        return _ended_already(key)
    form = ConfirmForm()
    if form.validate_on_submit():
        keys.revoke(key)
        audit.record(FormActor(), "api_key_revoked", key, before={"prefix": key.prefix})
        db.session.commit()
        said(f"{key.name} is revoked. It is refused from now on.")
        return redirect(url_for(".index"), 303)
    [row] = keys_page.rows([key], now)
    left_open = key_attaching.left_open_without(key, now)
    return render_template("api_keys/revoke.html", row=row, left_open=left_open)
