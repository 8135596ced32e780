"""When something went wrong for a visitor: a page for people, one JSON envelope for programs."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, g, jsonify, request
from werkzeug.exceptions import HTTPException

from portal import request_history, web
from portal.database import db
from portal.serving import hosts
from portal.serving.refusals import record_refusal

log = logging.getLogger(__name__)
# A request to one of these is a prompt: it has its row in the history, refused or not.
PROMPT_ENDPOINTS = (
    "serving.send",
    "serving.stream",
    "serving.regenerate",
    "serving.prompt",
    "embedding.send",
)
# A person's browser sent a form and shows what comes, unless a script asked for a stream.
FORM_ENDPOINTS = (
    "serving.send",
    "serving.new_chat",
    "serving.regenerate",
    "serving.rate",
    "embedding.send",
    "embedding.new_chat",
)


def init_app(app: Flask) -> None:
    """Nothing that happened inside is told."""
    app.register_error_handler(HTTPException, error_answer)
    app.register_error_handler(Exception, fault_answer)


def _wants_page() -> bool:
    return request.method in ("GET", "HEAD") and not request.path.endswith("/config/")


def _sends_form() -> bool:
    accepts = request.headers.get("Accept", "")
    return request.endpoint in FORM_ENDPOINTS and not accepts.startswith("text/event-stream")


def error_answer(error: HTTPException) -> Any:
    """A page for people, one JSON envelope for programs; never what happened inside."""
    if error.code is not None and error.code < 400:
        return error
    sentence = str(getattr(error, "sentence", None) or error.description or "That did not work.")
    served = hosts.prompted_client() if request.endpoint in PROMPT_ENDPOINTS else None
    if served is not None:
        recorder = request_history.current_recorder()
        record_refusal(recorder, served, error.code or 500, sentence)
    if isinstance(error, hosts.Refused) and (_wants_page() or _sends_form()):
        return hosts.refusal_page(error)
    return _envelope(error.code or 500, sentence)


def fault_answer(error: Exception) -> Any:
    """What no view expected: noted under the reference that the answer carries."""
    if isinstance(error, web.DATABASE_AWAY):
        db.session.rollback()
        return _envelope(503, web.ERRORS[503][1])
    log.exception("request %s failed", g.get("request_id"))
    return _envelope(500, web.ERRORS[500][1])


def _envelope(code: int, sentence: str) -> Any:
    answer = jsonify({"error": {"message": sentence, "request_id": g.get("request_id", "")}})
    answer.status_code = code
    if code == 503:
        answer.headers["Retry-After"] = "5"
    return answer
