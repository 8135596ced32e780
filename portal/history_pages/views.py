"""The list of requests and one request whole."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, g, render_template, request, url_for
from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.formatting import milliseconds_in_words, money, number, status_view
from portal.history_search import listing
from portal.history_search.filters import parse
from portal.llm_clients import finding
from portal.llm_clients.models import LLMClient
from portal.providers.prices import OWN
from portal.request_history import queries, rating, traces
from portal.request_history.models import LLMClientRequests
from portal.request_history.rows import row_of
from portal.web import VIEWER, permits

blueprint = Blueprint("request_history", __name__, url_prefix="/requests")
MOST_CLIENTS = 200


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """Newest first; filters are the URL."""
    filters = parse(request.args, ZoneInfo(g.account.timezone), utc_now())
    llm_client = _filtered_client(g.account, filters["client"])
    before, after = request.args.get("before", ""), request.args.get("after", "")
    found = listing.page(g.account.id, filters, llm_client, before, after)
    return render_template(
        "request_history/index.html",
        rows=[row_of(entry, g.account.currency) for entry in found.rows],
        filters=filters,
        clients=_clients(g.account),
        older_url=url_for(".index", **filters.query(before=found.older)) if found.older else None,
        newer_url=url_for(".index", **filters.query(after=found.newer)) if found.newer else None,
        is_filtered=filters.is_filtered,
        has_any=bool(found.rows) or bool(request.args),
    )


def _filtered_client(account: Account, public_id: str) -> LLMClient | None:
    if not public_id:
        return None
    found = finding.for_account(account, public_id)
    if found is None:
        abort(404)
    return found


def _clients(account: Account) -> list[tuple[str, str]]:
    query = (
        select(LLMClient.hashed_id, LLMClient.name)
        .where(LLMClient.account_id == account.id)
        .order_by(LLMClient.name)
        .limit(MOST_CLIENTS)
    )
    return [(hashed_id, name) for hashed_id, name in db.session.execute(query)]


@blueprint.get("/<row_id:request_id>")
@permits(VIEWER)
def show(request_id: int) -> str:
    """One request: conversation, what arrived, what came back, how long it took."""
    found = queries.for_account(g.account, request_id)
    if found is None:
        abort(404)
    return render_template(
        "request_history/show.html",
        request_row=row_of(found, g.account.currency),
        facts=_facts(found),
        tool_calls=traces.tool_calls(found.response),
        attempts=traces.attempts(found.response),
        failed_call=status_view("failed", "Failed"),
        conversation=_conversation(found),
        request_json=_pretty(found.request),
        response_json=_pretty(found.response) if found.response else "",
        error=found.error_text,
    )


def _facts(found: LLMClientRequests) -> list[tuple[str, str]]:
    facts = [
        ("Host", found.hostname),
        ("Mode", found.mode),
        ("Revision", str(found.revision_number or "")),
        ("Provider", found.provider),
        ("Model", found.model),
        ("Answered in", milliseconds_in_words(found.latency_ms)),
        ("First token after", milliseconds_in_words(found.first_token_ms)),
        ("Tokens in", number(found.tokens_in)),
        ("Tokens out", number(found.tokens_out)),
        ("Cost", _cost(found)),
        ("Session", found.session_key),
        ("Rating of the session", _rating(found)),
        ("Reference", found.request_id),
        ("Replaces the answer of", str((found.request or {}).get("regenerates", ""))),
        ("Error code", found.error_code),
    ]
    return [(label, value) for label, value in facts if value]


def _cost(found: LLMClientRequests) -> str:
    """With the price that it is counted by."""
    if found.cost_micros is None:
        return ""
    by = "your own price" if found.price_version == OWN else f"price of {found.price_version}"
    return f"{money(found.cost_micros, g.account.currency)} ({by})"


def _rating(found: LLMClientRequests) -> str:
    session = rating.session_of(found.llm_client_id, found.session_key)
    return rating.WORDS.get(session.rating or 0, "") if session else ""


def _conversation(found: LLMClientRequests) -> list[dict[str, str]]:
    said = [("user", (found.request or {}).get("message"))]
    said.append(("assistant", (found.response or {}).get("text")))
    return [{"role": role, "content": str(text)} for role, text in said if text]


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
