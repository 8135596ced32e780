"""A client's tab "Keys": which of the account's API keys open it."""

from __future__ import annotations

from typing import Any

from flask import abort, g, redirect, render_template, request, url_for

from portal.accounts import audit
from portal.database import db, utc_now
from portal.llm_clients import key_attaching
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages import keys_page
from portal.llm_clients.pages.views import blueprint, editable_or_403, may_edit, owned_or_404
from portal.vault import keys
from portal.vault.models import AuthToken
from portal.web import MEMBER, VIEWER, FormActor, permits, said


@blueprint.get("/<public_id:llm_client_id>/keys", endpoint="keys")
@permits(VIEWER)
def key_list(llm_client_id: str) -> str:
    """The keys that open the client, and those that could."""
    llm_client, now = owned_or_404(llm_client_id), utc_now()
    can_edit = may_edit(llm_client)
    attachable = key_attaching.attachable_to(llm_client, now) if can_edit else []
    attached = keys_page.rows(key_attaching.keys_of(llm_client), now)
    return render_template(
        "llm_clients/keys.html",
        llm_client=llm_client,
        attached=attached,
        attachable=attachable,
        is_public=not any(row.is_valid for row in attached),
        can_edit=can_edit,
    )


def _key_or_404(api_key_id: int) -> AuthToken:
    found = keys.for_account(g.account.id, api_key_id, lock=request.method == "POST")
    if found is None:
        abort(404)
    return found


def _back(llm_client: LLMClient) -> Any:
    return redirect(url_for(".keys", llm_client_id=llm_client.hashed_id), 303)


def _record(action: str, llm_client: LLMClient, key: AuthToken) -> None:
    told = {"api_key_name": key.name, "prefix": key.prefix}
    audit.record(FormActor(), action, llm_client, after=told)


@blueprint.post("/<public_id:llm_client_id>/keys/<row_id:api_key_id>/attach")
@permits(MEMBER)
def attach_key(llm_client_id: str, api_key_id: int) -> Any:
    """Let a key open the client; from now on it wants one."""
    llm_client, key = editable_or_403(llm_client_id), _key_or_404(api_key_id)
    if not key.is_valid(utc_now()):
        said(f"{key.name} is no longer valid. Choose another key.", "attention")
    elif key_attaching.attach(llm_client.id, key):
        _record("api_key_attached", llm_client, key)
        db.session.commit()
        said(f"{key.name} is attached. {llm_client.name} answers only callers that present a key.")
    return _back(llm_client)


@blueprint.route(
    "/<public_id:llm_client_id>/keys/<row_id:api_key_id>/detach", methods=["GET", "POST"]
)
@permits(MEMBER)
def detach_key(llm_client_id: str, api_key_id: int) -> Any:
    """Refuse a key at this client; says so where that opens it to everybody."""
    llm_client, key = editable_or_403(llm_client_id), _key_or_404(api_key_id)
    if key_attaching.attached(llm_client.id, key) is None:
        said(f"{key.name} is not attached.", "off")
        return _back(llm_client)
    if request.method == "POST":
        key_attaching.detach(llm_client.id, key)
        _record("api_key_detached", llm_client, key)
        db.session.commit()
        said(f"{key.name} is detached. It is refused here from now on.")
        return _back(llm_client)
    left_open = [client.id for client in key_attaching.left_open_without(key, utc_now())]
    return render_template(
        "llm_clients/detach_key.html",
        llm_client=llm_client,
        key=key,
        is_last=llm_client.id in left_open,
    )
