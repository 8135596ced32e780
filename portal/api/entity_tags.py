"""ETag, If-None-Match, If-Match (RFC 9110 section 13): nobody overwrites what he has not seen."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Response, current_app, request
from sqlalchemy import select

from portal.api import documents
from portal.api.problems import Refusal
from portal.database import db

CHANGED = "It is not what you have seen any more. Get it, look at what has changed, send it again."


def tag_of(document: dict[str, Any]) -> str:
    """Of all that is answered, `status` too."""
    text = json.dumps(document, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def answered(document: dict[str, Any], status: int = 200, location: str = "") -> Response:
    """The document with its tag; 304 where the program has it already."""
    answer = current_app.json.response(document)
    answer.status_code = status
    answer.set_etag(tag_of(document))
    if location:
        answer.headers["Location"] = location
    if status == 200 and request.method == "GET":
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.make_conditional(request)
    return answer


def demand(kind_name: str, row: Any) -> None:
    """Hold the row until the commit, and refuse where If-Match names another state of it.

    Nothing is asked without the header. Raises Refusal (412).
    """
    if "If-Match" not in request.headers:
        return
    table = type(row)
    db.session.execute(select(table.id).where(table.id == row.id).with_for_update())
    db.session.refresh(row)
    tag = tag_of(documents.shown(kind_name, row))
    if not request.if_match.contains(tag):
        raise Refusal(412, CHANGED, ETag=f'"{tag}"')
