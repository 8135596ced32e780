"""Which client a request is for, and why it may not be answered."""

from __future__ import annotations

from typing import Any

from flask import g, render_template, request
from werkzeug.exceptions import HTTPException

from portal.database import end_reading, utc_now
from portal.llm_clients.hostnames import host_of
from portal.serving import cross_origin
from portal.serving import served as served_clients
from portal.serving.incoming import bearer
from portal.serving.served import Served

READING = ("GET", "HEAD", "OPTIONS")
NOBODY = "There is no assistant at this address."
CLOSED = "This assistant is not open right now."
FOREIGN = "This assistant does not answer pages of the origin that the request came from."
NEEDS_KEY = "This assistant answers only callers that present its API key."


class Refused(HTTPException):
    """The request is for no client, or not for this caller; told as a page or as JSON."""

    def __init__(self, code: int, sentence: str, served: Served | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.served = served


def requested_client(public_id: str | None = None) -> Served:
    """The open client of this host (or id).

    Raises Refused: 404 unknown, 503 not open, 403 for what a page of a foreign origin sends.
    """
    host = host_of(request.host)
    found = served_clients.by_public_id(public_id) if public_id else served_clients.by_host(host)
    end_reading()
    if found is None:
        raise Refused(404, NOBODY)
    if not found.is_open:
        raise Refused(503, CLOSED, found)
    g.served = found
    origin = request.headers.get("Origin", "")
    if request.method not in READING and not cross_origin.is_allowed(found, origin):
        raise Refused(403, FOREIGN, found)
    return found


def prompted_client() -> Served | None:
    """The open client that a refused prompt was for, also where no view came to look for it."""
    found = cross_origin.asked_client() if request.method == "POST" else None
    return found if found is not None and found.is_open else None


def key_id_or_refused(served: Served) -> int | None:
    """The key that the caller presented, if the client wants one. Raises Refused 401."""
    now = utc_now()
    key = served.key_of(bearer(), now) if bearer() else None
    if key is None and served.needs_key(now):
        raise Refused(401, NEEDS_KEY, served)
    return key.id if key else None


def refusal_page(error: Refused) -> Any:
    """A small page that says why, for people."""
    titles = {
        401: "A key is needed",
        403: "Not from this page",
        404: "Nobody here",
        503: "Closed",
    }
    page = render_template(
        "serving/unavailable.html", title=titles[error.code or 404], sentence=error.sentence
    )
    headers = {"Retry-After": "60"} if error.code == 503 else {}
    return page, error.code, headers
