"""Custom domains for programs: list, claim, look now, remove, and the records to publish."""

from __future__ import annotations

from math import ceil
from typing import Any

from flask import Blueprint, abort, g, url_for
from sqlalchemy.exc import IntegrityError

from portal.accounts import audit
from portal.api import asking, documents
from portal.api.bodies import body, only
from portal.api.describing import Operation, describes
from portal.api.problems import Refusal
from portal.custom_domains import claims, words
from portal.custom_domains.jobs import ring_for
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.results import CheckResult
from portal.database import db, utc_now
from portal.domain_setup import adding, finding
from portal.errors import PortalError
from portal.manifests.checking import Problem
from portal.web import ADMIN, MEMBER, VIEWER, number_argument, permits

blueprint = Blueprint("api_domains", __name__, url_prefix="/api/v1/domains")
KIND = "CustomDomain"
TAG = "Domains"
TOO_SOON = "It was checked a moment ago. Ask again in {} s."
YOURS = "The account has this domain already."
BEFORE = {"before": "`next` of the page before."}


def owned_or_404(custom_domain_id: int, *, lock: bool = False) -> LLMClientCustomDomain:
    """The account's domain."""
    found = finding.for_account(g.account, custom_domain_id, lock=lock)
    if found is None:
        abort(404)
    return found


@blueprint.get("/")
@permits(VIEWER)
@describes(Operation("List the domains, the newest first", TAG, "CustomDomainList", query=BEFORE))
def index() -> dict[str, Any]:
    """Fifty at a time."""
    found, older = finding.page(g.account, number_argument("before"))
    on_them = finding.client_names(found)
    items = [_summary(one, on_them[one.id]) for one in found]
    return documents.page_of(items, str(older) if older else None)


def _summary(one: LLMClientCustomDomain, clients: list[str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.domain_name,
        "isVerified": one.is_verified,
        "state": one.state.value,
        "llmClients": clients,
    }


@blueprint.post("/")
@permits(ADMIN)
@describes(
    Operation("Claim a domain", TAG, KIND, 201, "DomainWish", example={"name": "lake.example.com"})
)
def create() -> Any:
    """It is proven by the TXT record that `status` names."""
    sent = only(body(), "name", "claimsHeld")
    name, claims_held = sent.get("name"), sent.get("claimsHeld", False)
    if not isinstance(name, str) or not name.strip() or not isinstance(claims_held, bool):
        raise Refusal(422, "Send the name as a text, and claimsHeld as true or false.")
    try:
        row = adding.add(
            g.account,
            name[:500],
            utc_now(),
            asking.user(),
            asking.ApiActor(),
            claims_held=claims_held,
        )
        db.session.commit()
    except IntegrityError as error:
        raise Refusal(409, YOURS) from error
    except PortalError as error:
        status = 409 if getattr(error, "reason", "") in ("held", "already_yours") else 422
        problem = Problem("name", error.public_message)
        raise Refusal(status, error.public_message, [problem]) from error
    location = url_for(".show", custom_domain_id=row.id)
    return documents.shown(KIND, row), 201, {"Location": location}


@blueprint.get("/<row_id:custom_domain_id>/")
@permits(VIEWER)
@describes(Operation("Get a domain", TAG, KIND))
def show(custom_domain_id: int) -> dict[str, Any]:
    """Whether it is verified, and who is on it."""
    return documents.shown(KIND, owned_or_404(custom_domain_id))


@blueprint.get("/<row_id:custom_domain_id>/records/")
@permits(VIEWER)
@describes(Operation("List the records that a domain needs", TAG, "DomainRecordList"))
def records(custom_domain_id: int) -> dict[str, Any]:
    """What to publish, and what was found at the last look."""
    rows = owned_or_404(custom_domain_id).dns_records
    return documents.page_of([_record(one) for one in rows], None)


def _record(one: Any) -> dict[str, Any]:
    return {
        "name": one.record_name,
        "type": one.record_type,
        "value": one.record_value,
        "ttl": one.record_ttl,
        "publishedBy": one.published_by,
    }


@blueprint.get("/<row_id:custom_domain_id>/checks/")
@permits(VIEWER)
@describes(Operation("List what the checks of a domain found", TAG, "DomainCheckList"))
def checks(custom_domain_id: int) -> dict[str, Any]:
    """Of the last look, the five in their order; nothing before the first one."""
    results = words.results_of(owned_or_404(custom_domain_id))
    return documents.page_of([_check(one) for one in results], None)


def _check(one: CheckResult) -> dict[str, Any]:
    return {
        "check": one.check.value,
        "host": one.host,
        "verdict": one.verdict.value,
        "reason": one.reason.value if one.reason else None,
        "sentence": one.sentence,
        "whoActs": one.who_acts.value,
        "fix": one.fix,
        "expected": one.expected,
        "found": list(one.found),
        "source": one.source,
        "clearsAt": one.clears_at.isoformat() if one.clears_at else None,
        "checkedAt": one.checked_at.isoformat() if one.checked_at else None,
    }


@blueprint.post("/<row_id:custom_domain_id>/check/")
@permits(MEMBER)
@describes(Operation("Look at a domain now", TAG, KIND, 202))
def check(custom_domain_id: int) -> Any:
    """At most every ten seconds."""
    only(body())
    row = owned_or_404(custom_domain_id, lock=True)
    waits = ceil(claims.ask_for_check(row, utc_now()))
    if waits > 0:
        raise Refusal(429, TOO_SOON.format(waits), Retry_After=str(waits))
    audit.record(asking.ApiActor(), "custom_domain_checked", row, name=row.domain_name)
    ring_for(row)
    db.session.commit()
    return documents.shown(KIND, row), 202


@blueprint.delete("/<row_id:custom_domain_id>/")
@permits(ADMIN)
@describes(Operation("Remove a domain", TAG, status=202))
def remove(custom_domain_id: int) -> Any:
    """What answers there closes at once."""
    row = owned_or_404(custom_domain_id)
    audit.record(asking.ApiActor(), "custom_domain_removed", row, name=row.domain_name)
    claims.remove(row, utc_now())
    db.session.commit()
    return "", 202
