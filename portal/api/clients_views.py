"""LLM clients for programs: list, make, change, deploy, take off, delete."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, request, url_for
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from portal.accounts import audit
from portal.api import asking, documents, entity_tags
from portal.api.bodies import body, only
from portal.api.describing import Operation, describes
from portal.api.problems import Refusal
from portal.database import db, utc_now
from portal.llm_clients import cloning, revisions
from portal.llm_clients.deployment import runs
from portal.llm_clients.deployment.jobs import begin
from portal.llm_clients.deployment.jobs import cancel as cancel_run
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages import queries
from portal.llm_clients.pages.views import editable_or_403, owned_or_404
from portal.llm_clients.registration import NameTaken
from portal.manifests.checking import Problem
from portal.web import MEMBER, VIEWER, permits

blueprint = Blueprint("api_clients", __name__, url_prefix="/api/v1/clients")
KIND = "LLMClient"
TAG = "Clients"
LONGEST_NAME = 255
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
@describes(
    Operation("Make a client", TAG, KIND, 201, "LLMClientWish", example=EXAMPLE, has_tag=True)
)
def create() -> Any:
    """What is left out has the value that the form suggests."""
    return _made(documents.applied(KIND, body()).row)


def _made(row: LLMClient) -> Response:
    location = url_for(".show", llm_client_id=row.hashed_id)
    return entity_tags.answered(documents.shown(KIND, row), 201, location)


@blueprint.get("/<public_id:llm_client_id>/")
@permits(VIEWER)
@describes(Operation("Get a client", TAG, KIND, has_tag=True))
def show(llm_client_id: str) -> Response:
    """The same as its manifest."""
    return entity_tags.answered(documents.shown(KIND, owned_or_404(llm_client_id)))


@blueprint.patch("/<public_id:llm_client_id>/")
@permits(MEMBER)
@describes(
    Operation(
        "Change a client",
        TAG,
        KIND,
        takes="LLMClientWish",
        example={"spec": {"defaultTemperature": 0.2}},
        has_tag=True,
    )
)
def change(llm_client_id: str) -> Response:
    """Only what is sent; another name is another address."""
    row = _as_seen(llm_client_id)
    documents.applied(KIND, body(), row)
    return entity_tags.answered(documents.shown(KIND, row))


def _as_seen(llm_client_id: str) -> LLMClient:
    """The client to change, as the program has seen it if it says so. Raises Refusal."""
    row = editable_or_403(llm_client_id)
    entity_tags.demand(KIND, row)
    return row


@blueprint.post("/<public_id:llm_client_id>/clone/")
@permits(MEMBER)
@describes(
    Operation(
        "Clone a client",
        TAG,
        KIND,
        201,
        "CloneWish",
        example={"name": "lake_guide_copy"},
        has_tag=True,
    )
)
def clone(llm_client_id: str) -> Response:
    """A copy of the configuration, not deployed; without a name it is called `…-copy`."""
    llm_client, name = owned_or_404(llm_client_id), only(body(), "name").get("name", "")
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise Refusal(422, f"The name is a text of at most {LONGEST_NAME} characters.")
    entity_tags.demand(KIND, llm_client)
    before = {"from": llm_client.name}
    try:
        copy = cloning.clone(llm_client, name, user_profile=g.profile, author=asking.user())
        audit.record(asking.ApiActor(), "cloned", copy, before=before)
        db.session.commit()
    except (NameTaken, IntegrityError) as error:
        told = getattr(error, "public_message", documents.TAKEN)
        raise Refusal(409, told, [Problem("name", told)]) from error
    return _made(copy)


@blueprint.post("/<public_id:llm_client_id>/deploy/")
@permits(MEMBER)
@describes(
    Operation("Deploy the newest revision", TAG, KIND, 202, "DeployWish", example={}, has_tag=True)
)
def deploy(llm_client_id: str) -> Any:
    """Begins a run, or joins the one that is under way; `status` tells how it goes."""
    row = _as_seen(llm_client_id)
    sent = only(body(), "confirmPublic")
    is_new_public = row.is_public and not row.published_revision_id
    if is_new_public and sent.get("confirmPublic") is not True:
        raise Refusal(409, CONFIRM)
    return _begun(row, Kinds.DEPLOY, "deployed")


@blueprint.post("/<public_id:llm_client_id>/undeploy/")
@permits(MEMBER)
@describes(Operation("Close a client to visitors", TAG, KIND, 202, has_tag=True))
def undeploy(llm_client_id: str) -> Any:
    """At once; record and certificate follow."""
    only(body())
    return _begun(_as_seen(llm_client_id), Kinds.UNDEPLOY, "undeployed")


@blueprint.post("/<public_id:llm_client_id>/cancel/")
@permits(MEMBER)
@describes(Operation("Cancel a deployment", TAG, KIND, 202, has_tag=True))
def cancel(llm_client_id: str) -> Any:
    """The one that is under way; what it had published is withdrawn."""
    only(body())
    row = _as_seen(llm_client_id)
    run = runs.active_run(row)
    if run is None or run.kind != Kinds.DEPLOY:
        raise Refusal(409, "No deployment is under way.")
    cancel_run(run, utc_now(), asking.user())
    audit.record(asking.ApiActor(), "deployment_cancelled", row)
    db.session.commit()
    return entity_tags.answered(documents.shown(KIND, row), 202)


@blueprint.delete("/<public_id:llm_client_id>/")
@permits(MEMBER)
@describes(Operation("Delete a client", TAG, status=202, has_tag=True))
def delete(llm_client_id: str) -> Any:
    """It is taken off its address first; its history stays."""
    row = _as_seen(llm_client_id)
    begin(row, Kinds.DELETE, utc_now(), asking.user())
    before = revisions.content_of(row)
    audit.record(asking.ApiActor(), "deleted", row, before=before)
    db.session.commit()
    return "", 202


def _begun(row: LLMClient, kind: Deployment.Kinds, action: str) -> Any:
    begin(row, kind, utc_now(), asking.user())
    audit.record(asking.ApiActor(), action, row)
    db.session.commit()
    return entity_tags.answered(documents.shown(KIND, row), 202)
