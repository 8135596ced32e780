"""One request whole."""

from __future__ import annotations

import json
from typing import Any

from flask import abort, g, render_template

from portal.formatting import milliseconds_in_words, money, number, status_view
from portal.history_pages.views import blueprint
from portal.providers.prices import OWN
from portal.request_history import queries, rating, traces
from portal.request_history.models import LLMClientRequests
from portal.request_history.rows import row_of
from portal.web import VIEWER, permits


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
