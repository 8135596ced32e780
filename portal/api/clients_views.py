"""LLM clients for programs: list, make, change, deploy, take off, delete."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.accounts import audit
from portal.api import asking, documents
from portal.api.bodies import body, only
from portal.api.describing import Operation, describes
from portal.api.problems import Refusal
from portal.database import db, utc_now
from portal.llm_clients import revisions
from portal.llm_clients.deployment.jobs import begin
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages import queries
from portal.llm_clients.pages.views import editable_or_403, owned_or_404
from portal.web import MEMBER, VIEWER, permits

blueprint = Blueprint("api_clients", __name__, url_prefix="/api/v1/clients")
KIND = "LLMClient"
TAG = "Clients"
CONFIRM = 'No API key is attached: anyone may use it. Attach one, or send {"confirmPublic": true}.'
Kinds = Deployment.Kinds
FILTERS = {
    "q": "Part of a name, description, tag or host.",
    "status": f"One of {', '.join(queries.STATUS_FILTERS)}.",
    "tag": "A tag.",
    "after": "`next` of the page before.",
}
EXAMPLE = {
    "metadata": {"name": "lake_guide", "tags": ["guests"]},
    "spec": {"provider": "demo", "defaultSystemRole": "You help guests."},
}


@blueprint.get("/")
@permits(VIEWER)
@describes(Operation("List the clients by name", TAG, "ClientList", query=FILTERS))
def index() -> dict[str, Any]:
    """Fifty at a time, by name."""
    given = {name: request.args.get(name, "")[:200] for name in FILTERS}
    found, later, _ = queries.page(g.account, queries.Filters(**given))
    _read_tags([one.id for one in found])
    return documents.page_of([_summary(one) for one in found], later)


def _read_tags(ids: list[int]) -> None:
    """Of all of them in one query."""
    query = select(LLMClient).where(LLMClient.id.in_(ids)).options(selectinload(LLMClient.tags))
    db.session.scalars(query.execution_options(populate_existing=False)).unique().all()


def _summary(one: LLMClient) -> dict[str, Any]:
    return {
        "id": one.id,
        "hashedId": one.hashed_id,
        "name": one.name,
        "owner": one.user_profile.user.username,
        "description": one.description,
        "version": one.version,
        "tags": [tag.name for tag in one.tags],
        "provider": one.provider,
        "defaultModel": one.default_model,
        "deployed": one.deployed,
        "ready": one.ready,
        "isPublic": one.is_public,
        "dnsVerificationStatus": one.dns_verification_status.value,
        "tlsCertificateIssuanceStatus": one.tls_certificate_issuance_status.value,
        "url": one.url,
        "updatedAt": one.updated_at.isoformat(),
    }


@blueprint.post("/")
@permits(MEMBER)
@describes(Operation("Make a client", TAG, KIND, 201, "LLMClientWish", example=EXAMPLE))
def create() -> Any:
    """What is left out has the value that the form suggests."""
    row = documents.applied(KIND, body()).row
    location = url_for(".show", llm_client_id=row.hashed_id)
    return documents.shown(KIND, row), 201, {"Location": location}


@blueprint.get("/<public_id:llm_client_id>/")
@permits(VIEWER)
@describes(Operation("Get a client", TAG, KIND))
def show(llm_client_id: str) -> dict[str, Any]:
    """The same as its manifest."""
    return documents.shown(KIND, owned_or_404(llm_client_id))


@blueprint.patch("/<public_id:llm_client_id>/")
@permits(MEMBER)
@describes(
    Operation(
        "Change a client",
        TAG,
        KIND,
        takes="LLMClientWish",
        example={"spec": {"defaultTemperature": 0.2}},
    )
)
def change(llm_client_id: str) -> dict[str, Any]:
    """Only what is sent; another name is another address."""
    row = editable_or_403(llm_client_id)
    documents.applied(KIND, body(), row)
    return documents.shown(KIND, row)


@blueprint.post("/<public_id:llm_client_id>/deploy/")
@permits(MEMBER)
@describes(Operation("Deploy the newest revision", TAG, KIND, 202, "DeployWish", example={}))
def deploy(llm_client_id: str) -> Any:
    """Begins a run, or joins the one that is under way; `status` tells how it goes."""
    row = editable_or_403(llm_client_id)
    sent = only(body(), "confirmPublic")
    is_new_public = row.is_public and not row.published_revision_id
    if is_new_public and sent.get("confirmPublic") is not True:
        raise Refusal(409, CONFIRM)
    return _begun(row, Kinds.DEPLOY, "deployed")


@blueprint.post("/<public_id:llm_client_id>/undeploy/")
@permits(MEMBER)
@describes(Operation("Close a client to visitors", TAG, KIND, 202))
def undeploy(llm_client_id: str) -> Any:
    """At once; record and certificate follow."""
    only(body())
    return _begun(editable_or_403(llm_client_id), Kinds.UNDEPLOY, "undeployed")


@blueprint.delete("/<public_id:llm_client_id>/")
@permits(MEMBER)
@describes(Operation("Delete a client", TAG, status=202))
def delete(llm_client_id: str) -> Any:
    """It is taken off its address first; its history stays."""
    row = editable_or_403(llm_client_id)
    begin(row, Kinds.DELETE, utc_now(), asking.user())
    before = revisions.content_of(row)
    audit.record(asking.ApiActor(), "deleted", row, before=before)
    db.session.commit()
    return "", 202


def _begun(row: LLMClient, kind: Deployment.Kinds, action: str) -> Any:
    begin(row, kind, utc_now(), asking.user())
    audit.record(asking.ApiActor(), action, row)
    db.session.commit()
    return documents.shown(KIND, row), 202
