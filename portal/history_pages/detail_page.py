"""What the page and the drawer show of one request."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import Any

from flask import g, url_for

from portal.database import current_settings
from portal.formatting import milliseconds_in_words, money, number, status_view
from portal.history_pages import conversation, one_request
from portal.history_pages.one_request import Whole
from portal.providers.prices import OWN
from portal.request_history import rating, stored, traces
from portal.request_history.models import LLMClientRequests
from portal.request_history.rows import row_of


@dataclass(frozen=True)
class Fact:
    """A label, a value, and where it leads."""

    label: str
    text: str
    url: str = ""
    is_code: bool = False


def values_of(whole: Whole) -> dict[str, Any]:
    """For both templates."""
    found = whole.row
    response = whole.response.mapping if whole.response else {}
    return {
        "request_row": row_of(found, g.account.currency),
        "whole": whole,
        "facts": facts(whole),
        "timing": timing(found),
        "tool_calls": traces.tool_calls(response),
        "attempts": traces.attempts(response),
        "failed_call": status_view("failed", "Failed"),
        "said": _said(whole),
        "error": stored.printable(found.error_text),
        "curl": curl(whole),
        "replay_url": replay_url(whole),
        "bodies_days": g.account.request_bodies_days,
    }


def _said(whole: Whole) -> list[conversation.Said]:
    """The session up to here, or the messages of this request alone."""
    if whole.row.session_key:
        return conversation.of_turns(one_request.turns(whole.row))
    sent = conversation.of_messages(whole.request)
    alone = conversation.of_turn(whole.row, whole.request, whole.response)
    return [*sent, *alone[1:]] if sent else alone


def facts(whole: Whole) -> list[Fact]:
    """What is known beside the words; what is not known is left out."""
    found, client = whole.row, whole.row.llm_client
    replaced = whole.request.mapping.get("regenerates", "") if whole.request else ""
    revision_url = ""
    if client is not None and found.revision_number:
        revision_url = url_for(
            "llm_clients.revision", llm_client_id=client.hashed_id, number=found.revision_number
        )
    session_url = key_url = ""
    if found.session_key:
        session_url = session_url_of(found.session_key)
    if found.api_key_id:
        key_url = url_for("api_keys.show", api_key_id=found.api_key_id)
    told = [
        Fact("HTTP status", str(found.status)),
        Fact("Error code", found.error_code),
        Fact("Host", found.hostname, is_code=True),
        Fact("Mode", found.mode),
        Fact("Revision", str(found.revision_number or ""), revision_url),
        Fact("Provider", found.provider),
        Fact("Model", found.model),
        Fact("Tokens", f"{number(found.tokens_in)} in, {number(found.tokens_out)} out"),
        Fact("Cost", _cost(found)),
        Fact("API key", f"Key {found.api_key_id}" if found.api_key_id else "", key_url),
        Fact("Session", _short(found.session_key), session_url, is_code=True),
        Fact("Rating of the session", _rating(found)),
        Fact("Reference", found.request_id, is_code=True),
        Fact("Replaces the answer of", stored.words(replaced, 100), is_code=True),
    ]
    return [fact for fact in told if fact.text]


def session_url_of(session_key: str) -> str:
    """The page of the session; keys that nobody here made lead to their requests."""
    if re.fullmatch(r"[0-9a-f]{64}", session_key):
        return url_for("sessions.show", session_key=session_key)
    return url_for("request_history.index", session_key=session_key, range="90d")


def _short(session_key: str) -> str:
    return f"{session_key[:8]}…{session_key[-4:]}" if len(session_key) > 16 else session_key


def _cost(found: LLMClientRequests) -> str:
    """With the price that it is counted by."""
    if found.cost_micros is None:
        return ""
    amount = money(found.cost_micros, g.account.currency)
    if not found.price_version:
        return amount
    by = "your own price" if found.price_version == OWN else f"price of {found.price_version}"
    return f"{amount} ({by})"


def _rating(found: LLMClientRequests) -> str:
    if not found.session_key:
        return ""
    session = rating.session_of(found.llm_client_id, found.session_key)
    return rating.WORDS.get(session.rating or 0, "") if session else ""


def timing(found: LLMClientRequests) -> list[Fact]:
    """How long it took, and what the time went into."""
    told = [Fact("Took", milliseconds_in_words(found.latency_ms))] if found.latency_ms else []
    if found.first_token_ms is not None:
        told.append(Fact("Waited for the first token", milliseconds_in_words(found.first_token_ms)))
        if found.latency_ms is not None and found.latency_ms >= found.first_token_ms:
            rest = found.latency_ms - found.first_token_ms
            told.append(Fact("Streamed for", milliseconds_in_words(rest)))
    return told


def curl(whole: Whole) -> str:
    """The same question in a terminal; the key is a name, never one itself."""
    row = whole.row
    if not (row.hostname and whole.has_body):
        return ""
    url = f"{current_settings().url_of(row.hostname)}/v1/chat/completions"
    sent = [{"role": r, "content": c} for r, c in stored.messages(whole.request) if r != "system"]
    asked = sent or [{"role": "user", "content": stored.question(whole.request)}]
    body = {"model": row.llm_client_name, "messages": asked}
    return (
        f"curl {shlex.quote(url)} \\\n"
        '  -H "Authorization: Bearer $API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}"
    )


def replay_url(whole: Whole) -> str:
    """The sandbox with the question filled in; nothing is asked until somebody sends it."""
    client = whole.row.llm_client
    if client is None or not whole.has_body or not g.profile.may_edit:
        return ""
    return url_for("workbench.show", llm_client_id=client.hashed_id, question_of=whole.row.id)
