"""The chat in pages of others: a script that puts it there, and the chat page for a frame.

Browsers keep cookies of a frame away from it or apart for each surrounding site. So its session is
in a cookie of its own that asks to be kept apart (CHIPS: `Partitioned`); a browser that keeps none
goes on for as long as the page is open, since every form carries the session.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for

from portal.serving import incoming
from portal.serving.hosts import Refused, key_id_or_refused, requested_client
from portal.serving.views import COOKIE_SECONDS, LONGEST_FORM, ask, chat_page
from portal.web import ANYBODY, STATIC, permits

blueprint = Blueprint("embedding", __name__)
SESSION_COOKIE = "chat_session_embedded"
SCRIPT_SECONDS = 300
TEMPLATE = "serving/_embed.html"
CLOSED_SCRIPT = b"// This assistant is not open right now.\n"


@blueprint.get("/embed")
@permits(ANYBODY)
def page() -> Any:
    """The chat page for a frame; `?panel=1` leaves room for the panel's button."""
    served = requested_client()
    key_id_or_refused(served)
    key = incoming.session_key(served, request.cookies.get(SESSION_COOKIE))
    return _with_session(chat_page(served, key, template=TEMPLATE), key)


@blueprint.post("/embed")
@permits(ANYBODY, writes=False, longest_body=LONGEST_FORM)
def send() -> Any:
    """A prompt from the frame without script: the page itself, for there may be no cookie."""
    served = requested_client()
    key_id = key_id_or_refused(served)
    given = request.form.get("session_key", "")
    typed = request.form.get("message", "")
    exchange = ask(served, typed, given, key_id, incoming.sent_files())
    exchange.whole()
    key, refusal = exchange.question.session_key, exchange.refusal
    if refusal is None:
        return _with_session(chat_page(served, key, template=TEMPLATE), key)
    page = chat_page(served, key, refusal.message, refusal.status, typed, template=TEMPLATE)
    return _with_session(page, key)


@blueprint.post("/embed/new-chat")
@permits(ANYBODY, writes=False)
def new_chat() -> Any:
    """Forget the frame's session; the history keeps it."""
    address = url_for("embedding.page", panel="1" if request.args.get("panel") else None)
    return _with_session(redirect(address, 303), "", seconds=0)


def _with_session(response: Any, key: str, seconds: int = COOKIE_SECONDS) -> Any:
    """Instead of the plain page's cookie. Always `Secure`: browsers trust localhost without TLS."""
    response.headers.remove("Set-Cookie")
    response.set_cookie(
        SESSION_COOKIE,
        key,
        max_age=seconds,
        path="/embed",
        httponly=True,
        secure=True,
        samesite="None",
        partitioned=True,
    )
    return response


@blueprint.get("/embed.js")
@permits(ANYBODY)
def script() -> Response:
    """The widget; of a closed client it is empty, so that the page around it stays as it is."""
    try:
        requested_client()
    except Refused as refused:
        if refused.code != 503:
            raise
        return _javascript(CLOSED_SCRIPT, seconds=0)
    return _javascript(_widget(), SCRIPT_SECONDS)


@cache
def _widget() -> bytes:
    return (STATIC / "embed.js").read_bytes()


def _javascript(text: bytes, seconds: int) -> Response:
    response = Response(text, content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = f"public, max-age={seconds}" if seconds else "no-store"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(hashlib.sha256(text).hexdigest()[:16])
    return response.make_conditional(request)
