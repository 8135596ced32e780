"""What can be done to a client's deployment and revisions: every change a POST."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_login import current_user

from portal.accounts import audit
from portal.database import db, utc_now
from portal.llm_clients import revisions
from portal.llm_clients.deployment import jobs
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.jobs import begin, ring_for
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientRevision
from portal.llm_clients.pages import worst_day
from portal.llm_clients.pages.revision_page import revision_rows, row_of
from portal.llm_clients.pages.views import blueprint, editable_or_403, may_edit, owned_or_404
from portal.web import MEMBER, VIEWER, FormActor, number_argument, permits, said

Kinds = Deployment.Kinds


def _back(llm_client: LLMClient) -> Any:
    return redirect(url_for(".show", llm_client_id=llm_client.hashed_id), 303)


def _begin(llm_client: LLMClient, kind: Deployment.Kinds, action: str) -> Any:
    now = utc_now()
    begin(llm_client, kind, now, current_user)
    audit.record(FormActor(), action, llm_client)
    db.session.commit()
    return _back(llm_client)


@blueprint.route("/<public_id:llm_client_id>/deploy", methods=["GET", "POST"])
@permits(MEMBER)
def deploy(llm_client_id: str) -> Any:
    """Deploy the newest revision; a client without a key asks for a confirmation first."""
    llm_client = editable_or_403(llm_client_id)
    is_confirmed = "confirm" in request.form or not llm_client.is_public
    if request.method == "POST" and (is_confirmed or llm_client.published_revision_id):
        return _begin(llm_client, Kinds.DEPLOY, "deployed")
    return render_template(
        "llm_clients/deploy.html",
        llm_client=llm_client,
        revision=row_of(
            llm_client, _revision_or_404(llm_client, llm_client.newest_revision_number)
        ),
        hostname_url=llm_client.default_url,
        warnings=_warnings(llm_client),
    )


def _warnings(llm_client: LLMClient) -> list[str]:
    if not llm_client.is_public:
        return []
    worst = worst_day.sentence(llm_client)
    return ["No API key is attached: anyone who knows the address can use this client.", worst]


@blueprint.route("/<public_id:llm_client_id>/undeploy", methods=["GET", "POST"])
@permits(MEMBER)
def undeploy(llm_client_id: str) -> Any:
    """Close the client to visitors at once; record and certificate follow."""
    llm_client = editable_or_403(llm_client_id)
    if request.method == "POST":
        return _begin(llm_client, Kinds.UNDEPLOY, "undeployed")
    return render_template(
        "llm_clients/undeploy.html", llm_client=llm_client, hostname_url=llm_client.url
    )


@blueprint.post("/<public_id:llm_client_id>/cancel")
@permits(MEMBER)
def cancel(llm_client_id: str) -> Any:
    """End a deployment that is under way and take back what it published."""
    llm_client = editable_or_403(llm_client_id)
    now, run = utc_now(), deployment.active_run(llm_client)
    if run is None or run.kind != Kinds.DEPLOY:
        said("There is no deployment to cancel any more.", "off")
        return _back(llm_client)
    jobs.cancel(run, now, current_user)
    audit.record(FormActor(), "deployment_cancelled", llm_client)
    db.session.commit()
    said("The deployment is cancelled. What it had published is being withdrawn.", "off")
    return _back(llm_client)


@blueprint.post("/<public_id:llm_client_id>/try-now")
@permits(MEMBER)
def try_now(llm_client_id: str) -> Any:
    """Make the next attempt now."""
    llm_client = editable_or_403(llm_client_id)
    now, run = utc_now(), deployment.active_run(llm_client)
    if run is not None and deployment.try_now(run, now):
        ring_for(run, now)
        audit.record(FormActor(), "tried_now", llm_client)
        db.session.commit()
    return _back(llm_client)


@blueprint.post("/<public_id:llm_client_id>/publish")
@permits(MEMBER)
def publish(llm_client_id: str) -> Any:
    """Give visitors the newest revision from now on."""
    llm_client = editable_or_403(llm_client_id)
    if not llm_client.deployed:
        abort(404)
    before = llm_client.published_revision
    number = llm_client.newest_revision_number
    llm_client.published_revision = revisions.revision_of(llm_client, number)
    audit.record(
        FormActor(),
        "published",
        llm_client,
        before={"revision": before.number if before else None},
        after={"revision": number},
    )
    db.session.commit()
    said(f"Visitors get revision {number} now.")
    return _back(llm_client)


@blueprint.get("/<public_id:llm_client_id>/revisions", endpoint="revisions")
@permits(VIEWER)
def revision_list(llm_client_id: str) -> str:
    """All revisions, newest first."""
    llm_client = owned_or_404(llm_client_id)
    before = number_argument("before")
    rows, older = revision_rows(llm_client, before)
    return render_template(
        "llm_clients/revisions.html",
        llm_client=llm_client,
        revisions=rows,
        older_url=url_for(".revisions", llm_client_id=llm_client.hashed_id, before=older)
        if older
        else None,
        can_edit=may_edit(llm_client),
    )


@blueprint.get("/<public_id:llm_client_id>/revisions/<int:number>")
@permits(VIEWER)
def revision(llm_client_id: str, number: int) -> str:
    """One revision beside another (`?against=n`), the one before it by default."""
    llm_client = owned_or_404(llm_client_id)
    shown = _revision_or_404(llm_client, number)
    against = revisions.revision_of(llm_client, number_argument("against") or number - 1)
    before = revisions.in_words(llm_client, against.content) if against else {}
    after = revisions.in_words(llm_client, shown.content)
    return render_template(
        "llm_clients/revision.html",
        llm_client=llm_client,
        revision=row_of(llm_client, shown),
        against=row_of(llm_client, against) if against else None,
        differences=revisions.differences(before, after),
        can_edit=may_edit(llm_client),
    )


def _revision_or_404(llm_client: LLMClient, number: int) -> LLMClientRevision:
    found = revisions.revision_of(llm_client, number) if number < 2**31 else None
    if found is None:
        abort(404)
    return found


@blueprint.post("/<public_id:llm_client_id>/revisions/<int:number>/restore")
@permits(MEMBER)
def restore(llm_client_id: str, number: int) -> Any:
    """Copy an old revision forward as the newest."""
    llm_client = editable_or_403(llm_client_id)
    old = _revision_or_404(llm_client, number)
    made = revisions.restore(llm_client, old, current_user)
    if made is None:
        said(f"Revision {number} is what you have already.", "off")
    else:
        audit.record(FormActor(), "restored", llm_client, after={"revision": number})
        said(f"Revision {number} is restored as revision {made.number}.")
    db.session.commit()
    return redirect(url_for(".revisions", llm_client_id=llm_client.hashed_id), 303)
