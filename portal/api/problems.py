"""What cannot be, as problem details (RFC 9457): a sentence for whoever reads the program's log."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from flask import Flask, Response, current_app, g, json
from werkzeug.exceptions import HTTPException

from portal import web
from portal.database import db
from portal.errors import PortalError
from portal.manifests.checking import Problem

log = logging.getLogger(__name__)
TYPE = "application/problem+json"


class Refusal(Exception):
    """An answer that ends the request; `problems` say which fields are to blame."""

    def __init__(
        self, status: int, sentence: str, problems: Iterable[Problem] = (), **headers: str
    ) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence
        self.problems, self.headers = tuple(problems), headers


def answer(
    status: int, sentence: str = "", problems: Iterable[Problem] = (), **headers: str
) -> Response:
    """The answer itself."""
    title, usual = web.ERRORS.get(status, web.ERRORS[400 if status < 500 else 500])
    told: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": sentence or usual,
        "requestId": g.get("request_id", ""),
    }
    errors = [{"field": one.path, "detail": one.sentence} for one in problems]
    if errors:
        told["errors"] = errors
    response = current_app.response_class(json.dumps(told), status=status, content_type=TYPE)
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def init_app(app: Flask) -> None:
    """Every error of the plane as a problem; nothing that happened inside is told."""

    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> Response:
        db.session.rollback()
        return answer(error.status, error.sentence, error.problems, **error.headers)

    @app.errorhandler(PortalError)
    def not_possible(error: PortalError) -> Response:
        db.session.rollback()
        return answer(422, error.public_message)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Any:
        return error if (error.code or 500) < 400 else answer(error.code or 500)

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        db.session.rollback()
        if isinstance(error, web.DATABASE_AWAY):
            return answer(503, Retry_After="5")
        log.exception("request %s failed", g.get("request_id"))
        return answer(500)
