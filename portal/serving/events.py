"""Server-sent events of an exchange, as our own chat pages read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Response

from portal.off_loop import off_loop
from portal.serving.markdown import rendered
from portal.serving.prompting import Answered, Exchange
from portal.serving.rows import sent_json

LONG = 4_000  # characters


def event(name: str, value: dict[str, Any]) -> bytes:
    """One event; JSON never holds a line break."""
    return f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def events_of(exchange: Exchange, *, show_sent: bool) -> Iterator[bytes]:
    """`sent` (sandbox only), `delta`s, and `done` or `error` once the row is committed."""
    key = exchange.question.session_key
    told = exchange.request
    if show_sent:
        yield event("sent", {"json": sent_json(told), "session_key": key})
    parts = exchange.parts()
    try:
        for part in parts:
            if show_sent and exchange.request is not told:  # with what the tools added
                told = exchange.request
                yield event("sent", {"json": sent_json(told), "session_key": key})
            if part.text:
                yield event("delta", {"text": part.text})
    finally:
        parts.close()
    if exchange.answered is not None:
        yield event("done", _done(exchange.question.session_key, exchange.answered))
    elif exchange.refusal is not None:
        refusal = exchange.refusal
        told_by = {"message": refusal.message, "reason": refusal.reason}
        yield event("error", {**told_by, "session_key": key})


def _done(session_key: str, answered: Answered) -> dict[str, Any]:
    return {
        "answer": answered.answer.text,
        "html": str(_as_html(answered.answer.text)),
        "session_key": session_key,
        "latency_ms": answered.latency_ms,
        "first_token_ms": answered.first_token_ms,
        "tokens_in": answered.answer.tokens_in,
        "tokens_out": answered.answer.tokens_out,
    }


def _as_html(text: str) -> str:
    """A long answer takes a part of a second, for which others need not wait."""
    return rendered(text) if len(text) < LONG else off_loop(rendered, text)


def event_stream(parts: Iterator[bytes]) -> Response:
    """An answer that no proxy on the way keeps back."""
    return Response(
        parts,
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
