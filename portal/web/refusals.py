"""A line of the log for whatever was refused."""

from __future__ import annotations

import logging

from flask import Response, g, request
from sqlalchemy import inspect

log = logging.getLogger(__name__)
REFUSALS = (400, 401, 403, 409, 413, 415, 422, 429)


def note_refusal(response: Response) -> Response:
    """Each request and form that was refused is a line of the log: who, what, from where.

    What was typed is in none of them.
    """
    if response.status_code in REFUSALS:
        log.warning(
            "refused with %s: %s %s, %s, from %s, reference %s",
            response.status_code,
            request.method,
            request.endpoint,
            _who_asked(),
            request.remote_addr,
            g.get("request_id", ""),
        )
    return response


def _who_asked() -> str:
    """Whose cookie or token it was, without asking the database anything more."""
    if "token_id" in g:
        return f"token {g.token_id}"
    state = inspect(g.get("_login_user"), raiseerr=False)
    known = state.identity if state is not None else None
    return f"user {known[0]}" if known else "nobody"
