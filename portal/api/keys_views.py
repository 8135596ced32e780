"""API keys of clients for programs: list, make, change, rotate, revoke.

A key's text is in the answer that made it, and nowhere else.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, g, url_for
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from portal.accounts import audit
from portal.api import asking, documents
from portal.api.bodies import body, only
from portal.api.describing import Operation, describes
from portal.api.problems import Refusal
from portal.database import db, utc_now
from portal.llm_clients import key_attaching
from portal.llm_clients.key_attaching import ClientName
from portal.manifests.checking import Problem
from portal.manifests.keys import KeyKind, client_named
from portal.manifests.kind import NO_CSRF
from portal.vault import keys
from portal.vault.forms import NewKeyForm, RotateForm, expires_at, lifetime_choice
from portal.vault.keys import NewKey
from portal.vault.models import AuthToken
from portal.web import ADMIN, VIEWER, number_argument, permits

blueprint = Blueprint("api_client_keys", __name__, url_prefix="/api/v1/keys")
KIND = "ApiKey"
TAG = "Keys"
BEFORE = {"before": "`next` of the page before."}
ENDED = "This key has ended, or was rotated already."
EXAMPLE = {"name": "shop", "llmClients": ["lake_guide"], "expiry": "90"}


def owned_or_404(api_key_id: int, *, lock: bool = False) -> AuthToken:
    """The account's key."""
    found = keys.for_account(g.account.id, api_key_id, lock=lock)
    if found is None:
        abort(404)
    return found


@blueprint.get("/")
@permits(VIEWER)
@describes(Operation("List the keys, the newest first", TAG, "ApiKeyList", query=BEFORE))
def index() -> dict[str, Any]:
    """Fifty at a time, those that ended too."""
    found, older = keys.page(g.account.id, number_argument("before"))
    opened, kind = key_attaching.clients_by_key(found), KeyKind()
    items = [
        kind.document_of(kind.values_of(one, opened[one.id]), kind.status(one)) for one in found
    ]
    return documents.page_of(items, str(older) if older else None)


@blueprint.get("/<row_id:api_key_id>/")
@permits(VIEWER)
@describes(Operation("Get a key", TAG, KIND))
def show(api_key_id: int) -> dict[str, Any]:
    """What it opens and how it stands, without its text."""
    return documents.shown(KIND, owned_or_404(api_key_id))


@blueprint.post("/")
@permits(ADMIN)
@describes(Operation("Make a key", TAG, "NewApiKey", 201, "KeyWish", example=EXAMPLE))
def create() -> Any:
    """`text` is what callers present; it is told only now."""
    sent = only(body(), "name", "llmClients", "expiry")
    wanted = _clients(sent.get("llmClients", []))
    offered = [(one.hashed_id, one.name) for one in wanted]
    data = _sent(sent, "name", "expiry")
    data.setlist("clients", [one.hashed_id for one in wanted])
    form = _valid(NewKeyForm(offered, formdata=data, meta=NO_CSRF))
    now = utc_now()
    made = keys.make(g.account.id, form.name.data, asking.user(), expires_at(form, now))
    key_attaching.set_clients(made.row, wanted)
    audit.record(asking.ApiActor(), "api_key_created", made.row, after=_told(made.row, wanted))
    db.session.commit()
    return _shown_once(made)


@blueprint.patch("/<row_id:api_key_id>/")
@permits(ADMIN)
@describes(
    Operation(
        "Change what a key is called and opens",
        TAG,
        KIND,
        takes="ApiKeyWish",
        example={"spec": {"llmClients": []}},
    )
)
def change(api_key_id: int) -> dict[str, Any]:
    """It holds from the next request on."""
    row = owned_or_404(api_key_id, lock=True)
    documents.applied(KIND, body(), row)
    return documents.shown(KIND, row)


@blueprint.post("/<row_id:api_key_id>/rotate/")
@permits(ADMIN)
@describes(
    Operation("Rotate a key", TAG, "NewApiKey", 201, "RotateWish", example={"overlap": "24h"})
)
def rotate(api_key_id: int) -> Any:
    """A new key with the same clients; the old one works on for `overlap`."""
    sent, now = only(body(), "overlap", "expiry"), utc_now()
    key = owned_or_404(api_key_id, lock=True)
    if not key.is_valid(now) or key.replaced_by_id is not None:
        raise Refusal(409, ENDED)
    lifetime = key.expires_at - key.created_at if key.expires_at else None
    usual = {"overlap": "24h", "expiry": lifetime_choice(lifetime)}
    data = _sent({**usual, **sent}, "overlap", "expiry")
    form = _valid(RotateForm(formdata=data, meta=NO_CSRF))
    clients = key_attaching.clients_by_key([key])[key.id]
    made = keys.rotate(key, asking.user(), now, form.overlap_time, expires_at(form, now))
    key_attaching.set_clients(made.row, clients)
    ends = (key.expires_at or now).isoformat() if key.is_active else now.isoformat()
    before = {"prefix": key.prefix, "ends_at": ends}
    after = _told(made.row, clients)
    audit.record(asking.ApiActor(), "api_key_rotated", key, before=before, after=after)
    db.session.commit()
    return _shown_once(made)


@blueprint.post("/<row_id:api_key_id>/revoke/")
@permits(ADMIN)
@describes(Operation("Revoke a key", TAG, KIND))
def revoke(api_key_id: int) -> dict[str, Any]:
    """Refused everywhere from the next request on."""
    only(body())
    key = owned_or_404(api_key_id, lock=True)
    if not key.is_valid(utc_now()):
        raise Refusal(409, ENDED)
    keys.revoke(key)
    audit.record(asking.ApiActor(), "api_key_revoked", key, before={"prefix": key.prefix})
    db.session.commit()
    return documents.shown(KIND, key)


def _clients(names: Any) -> list[ClientName]:
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise Refusal(422, "llmClients must be a list of names.")
    offered = key_attaching.clients_of_account(g.account)
    return [client_named(name, offered, asking.user().username) for name in names]


def _sent(values: dict[str, Any], *names: str) -> MultiDict[str, str]:
    """As a form takes it; what is no text is told. Raises Refusal."""
    data: MultiDict[str, str] = MultiDict()
    for name in names:
        value = values.get(name, "never" if name == "expiry" else "")
        if not isinstance(value, str):
            raise Refusal(422, f"{name} must be a text.")
        data[name] = value
    return data


def _valid(form: FlaskForm) -> Any:
    if not form.validate():
        found = [Problem(str(name), " ".join(map(str, one))) for name, one in form.errors.items()]
        raise Refusal(422, documents.WRONG, found)
    return form


def _told(key: AuthToken, clients: list[ClientName]) -> dict[str, Any]:
    """What the audit log has of a key: never its text."""
    ends = key.expires_at.isoformat() if key.expires_at else None
    names = [client.name for client in clients]
    return {"prefix": key.prefix, "expires_at": ends, "llm_clients": names}


def _shown_once(made: NewKey) -> Any:
    shown = {"key": documents.shown(KIND, made.row), "text": made.text}
    return shown, 201, {"Location": url_for(".show", api_key_id=made.row.id)}
