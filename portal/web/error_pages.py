"""HTML for people when something went wrong; nothing that happened inside is told."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, g, render_template
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from portal.database import db
from portal.web.extensions import login_manager

log = logging.getLogger(__name__)


DATABASE_AWAY = (OperationalError, PoolTimeout)


ERRORS = {
    400: ("That did not work", "The request was not understood."),
    401: ("Sign in first", "Your session has ended. Sign in and try again."),
    403: ("Not yours to change", "Your role in this account does not allow this."),
    404: ("Not found", "There is nothing at this address, or it belongs to another account."),
    405: ("Not possible here", "This address does not accept that kind of request."),
    412: ("Changed meanwhile", "It is not what you have seen any more. Look at it again first."),
    413: ("Too much", "What was sent is longer than we accept."),
    429: ("Too many requests", "Wait a moment and try again."),
    500: ("Something broke", "The fault is ours. It has been noted under the reference below."),
    503: (
        "Busy for a moment",
        "The database does not answer right now. Nothing was lost; try again.",
    ),
}


def error_page(code: int, sentence: str = "") -> tuple[str, int]:
    title, usual = ERRORS.get(code, ERRORS[400 if code < 500 else 500])
    page = render_template(
        "errors/error.html",
        code=code,
        title=title,
        sentence=sentence or usual,
        reference=g.get("request_id", ""),
    )
    return page, code


def _forget_who_asked() -> None:
    """So that the page that tells of a fault asks the database for nothing."""
    db.session.rollback()
    g.account, g.profile, g.profiles = None, None, []
    g._login_user = login_manager.anonymous_user()


def install_error_pages(app: Flask) -> None:
    """HTML for people; nothing that happened inside is told."""

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Any:
        if isinstance(error, CSRFError):
            return error_page(
                400, "This form was open for too long. Go back, reload it and try again."
            )
        if error.code is not None and error.code < 400:
            return error
        return error_page(error.code or 500)

    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    def database_away(error: Exception) -> Any:
        log.warning("the database did not answer: %s", error)
        _forget_who_asked()
        page, code = error_page(503)
        return page, code, {"Retry-After": "5"}

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Any:
        log.exception("request %s failed", g.get("request_id"))
        _forget_who_asked()
        return error_page(500)
