"""The history of requests for programs: the list's filters, and one request whole."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, g, request

from portal.api import documents
from portal.api.describing import Operation, describes
from portal.api.problems import Refusal
from portal.database import utc_now
from portal.history_pages import one_request
from portal.history_pages.choices import Client
from portal.history_search import listing
from portal.history_search.filters import RANGE_NAMES, READERS, Filters, parse
from portal.llm_clients import finding
from portal.request_history.stored import Stored
from portal.web import VIEWER, permits

blueprint = Blueprint("api_requests", __name__, url_prefix="/api/v1/requests")
TAG = "Requests"
QUERY = {
    "range": "How far back: 1h, 24h, 7d, 30d, 90d. Or from and to.",
    "from": "A day or a time in the account’s zone, like 2026-10-25T14:30.",
    "to": "The same; now where it is left out.",
    **{name: f"{label}." for name, (label, _) in READERS.items()},
    "before": "`next` of the page before.",
}


@blueprint.get("/")
@permits(VIEWER)
@describes(Operation("List requests, the newest first", TAG, "RequestList", query=QUERY))
def index() -> dict[str, Any]:
    """Fifty at a time; the filters are those of the page."""
    filters = _filters()
    page = listing.page(g.account.id, filters, _client(filters), request.args.get("before", ""))
    return documents.page_of([_item(one) for one in page.rows], page.older)


def _filters() -> Filters:
    typed = {name: request.args.get(name, "") for name in (*RANGE_NAMES, *READERS)}
    found = parse(typed, ZoneInfo(g.account.timezone), utc_now())
    if found.problems:
        raise Refusal(422, " ".join(found.problems))
    return found


def _client(filters: Filters) -> Client | None:
    if not filters["client"]:
        return None
    found = finding.for_account(g.account, filters["client"])
    if found is None:
        abort(404)
    return Client(found.id, found.hashed_id, found.name)


def _item(one: Any) -> dict[str, Any]:
    """What a list has of a request; its id is a text, beyond what JSON numbers hold exactly."""
    return {
        "id": str(one.id),
        "createdAt": one.created_at.isoformat(),
        "requestId": one.request_id,
        "llmClient": one.llm_client_name,
        "sessionKey": one.session_key,
        "revision": one.revision_number,
        "host": one.hostname,
        "mode": one.mode,
        "provider": one.provider,
        "model": one.model,
        "status": one.status,
        "errorCode": one.error_code,
        "errorText": one.error_text,
        "latencyMs": one.latency_ms,
        "firstTokenMs": one.first_token_ms,
        "tokensIn": one.tokens_in,
        "tokensOut": one.tokens_out,
        "costMicros": one.cost_micros,
        "question": one.question_preview,
        "answer": one.answer_preview,
    }


@blueprint.get("/<row_id:request_id>/")
@permits(VIEWER)
@describes(Operation("Get a request with what was sent and answered", TAG, "Request"))
def show(request_id: int) -> dict[str, Any]:
    """Both are null once the account keeps them no longer, or where they are beyond 2 MB."""
    whole = one_request.for_account(g.account, request_id)
    if whole is None:
        abort(404)
    sides = {"request": _value(whole.request), "response": _value(whole.response)}
    return {**_item(whole.row), "hasBody": whole.has_body, **sides}


def _value(side: Stored | None) -> Any:
    return side.value if side is not None and side.is_readable else None
