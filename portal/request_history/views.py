"""The list of requests and one request whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, g, render_template, request, url_for
from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db
from portal.formatting import StatusView, milliseconds_in_words, number, status_view
from portal.llm_clients import queries as llm_client_queries
from portal.llm_clients.models import LLMClient
from portal.request_history import queries
from portal.request_history.models import LLMClientRequests
from portal.web import VIEWER, permits

blueprint = Blueprint("request_history", __name__, url_prefix="/requests")
MOST_CLIENTS = 200


@dataclass(frozen=True)
class Row:
    """One request in a list."""

    id: int
    created_at: datetime
    llm_client_name: str
    llm_client_url: str | None
    question_preview: str
    answer_preview: str
    status: StatusView
    latency_ms: int | None
    tokens_in: int
    tokens_out: int
    cost_text: str | None
    mode: str
    hostname: str
    url: str


def row_of(found: LLMClientRequests) -> Row:
    """What a list shows of a request."""
    client = found.llm_client
    return Row(
        id=found.id,
        created_at=found.created_at,
        llm_client_name=found.llm_client_name,
        llm_client_url=url_for("llm_clients.show", llm_client_id=client.hashed_id)
        if client
        else None,
        question_preview=found.question_preview,
        answer_preview=found.answer_preview or found.error_text[:200],
        status=status_of(found),
        latency_ms=found.latency_ms,
        tokens_in=found.tokens_in,
        tokens_out=found.tokens_out,
        cost_text=None,
        mode=found.mode,
        hostname=found.hostname,
        url=url_for("request_history.show", request_id=found.id),
    )


def status_of(found: LLMClientRequests) -> StatusView:
    """The status of a request: its number, and a word."""
    if found.status < 400:
        return status_view("ready", f"{found.status} answered")
    if found.status in (401, 403, 404, 413, 422, 429):
        return status_view("attention", f"{found.status} refused")
    if found.status == 499:
        return status_view("off", "499 visitor left")
    return status_view("failed", f"{found.status} failed")


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """Newest first; filters are the URL."""
    filters = queries.Filters(
        **{key: request.args.get(key, "")[:200] for key in queries.Filters.__annotations__}
    )
    llm_client = _filtered_client(g.account, filters)
    found, older, newer = queries.page(g.account, filters, llm_client)
    return render_template(
        "request_history/index.html",
        rows=[row_of(entry) for entry in found],
        filters=filters,
        clients=_clients(g.account),
        older_url=url_for(".index", **filters.values(before=older)) if older else None,
        newer_url=url_for(".index", **filters.values(after=newer)) if newer else None,
        is_filtered=filters.is_filtered,
        has_any=bool(found) or filters.is_filtered or bool(filters.before or filters.after),
    )


def _filtered_client(account: Account, filters: queries.Filters) -> LLMClient | None:
    if not filters.client:
        return None
    found = llm_client_queries.for_account(account, filters.client)
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


@blueprint.get("/<int:request_id>")
@permits(VIEWER)
def show(request_id: int) -> str:
    """One request: conversation, what arrived, what came back, how long it took."""
    found = queries.for_account(g.account, request_id)
    if found is None:
        abort(404)
    return render_template(
        "request_history/show.html",
        request_row=row_of(found),
        facts=_facts(found),
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
        ("Session", found.session_key),
        ("Reference", found.request_id),
        ("Error code", found.error_code),
    ]
    return [(label, value) for label, value in facts if value]


def _conversation(found: LLMClientRequests) -> list[dict[str, str]]:
    said = [("user", (found.request or {}).get("message"))]
    said.append(("assistant", (found.response or {}).get("text")))
    return [{"role": role, "content": str(text)} for role, text in said if text]


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
