"""Idempotency-Key: a POST that is sent again is done once, and answered as the first time.

The key is written down in the transaction of what the request does: what was refused or broken off
leaves nothing, and may be sent again.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from flask import Flask, Response, current_app, g, json, request
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from portal.api.describing import operation_of
from portal.api.models import ApiReplay
from portal.api.problems import Refusal
from portal.database import db, utc_now, writing

KEPT = timedelta(hours=24)
KEY = re.compile(r"[\x21-\x7e]{1,100}\Z")
NO_KEY = "An Idempotency-Key has 1 to 100 visible ASCII characters."
OTHER = "This Idempotency-Key was used for another request."
UNDER_WAY = "A request with this Idempotency-Key is under way, or its answer was lost: look first."
ONCE = "This was done already; the key’s text was told then. Rotate the key if it is lost."
SECRET = "NewApiKey"  # noqa: S105 - the name of a schema
OF_ITSELF = "api_manifests.apply"  # applying again changes nothing


def begin() -> Response | None:
    """Before the view: the first answer where there is one. Raises Refusal."""
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST" or request.endpoint == OF_ITSELF:
        return None
    if not KEY.match(key):
        raise Refusal(400, NO_KEY)
    token_id, asked = g.token_id, _asked()
    query = select(ApiReplay).where(ApiReplay.personal_token_id == token_id, ApiReplay.key == key)
    found = db.session.scalar(query)
    if found is not None and found.created_at > utc_now() - KEPT:
        return _again(found, asked)
    _note(token_id, key, asked)
    return None


def _asked() -> str:
    parts = (request.method, request.full_path, request.get_data())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _again(found: ApiReplay, asked: str) -> Response:
    if found.asked_hash != asked:
        raise Refusal(422, OTHER)
    if not found.status:
        raise Refusal(409, UNDER_WAY)
    if found.answer is None:
        raise Refusal(409, ONCE, Location=found.location)
    answer = current_app.response_class(
        json.dumps(found.answer), status=found.status, mimetype="application/json"
    )
    answer.headers["Idempotency-Replayed"] = "true"
    if found.location:
        answer.headers["Location"] = found.location
    return answer


def _note(token_id: int, key: str, asked: str) -> None:
    """In the running transaction; old ones go. Raises Refusal where two come at once."""
    old = ApiReplay.created_at <= utc_now() - KEPT
    db.session.execute(delete(ApiReplay).where(ApiReplay.personal_token_id == token_id, old))
    row = ApiReplay(personal_token_id=token_id, key=key, asked_hash=asked)
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Refusal(409, UNDER_WAY) from error
    g.replay_id = row.id


def end(response: Response) -> Response:
    """After the view: keep its answer, without the text of a key."""
    number = g.pop("replay_id", None)
    if number is None or response.status_code >= 400:
        return response
    operation = operation_of(current_app.view_functions.get(request.endpoint or ""))
    is_secret = operation is not None and operation.answer == SECRET
    with writing():
        row = db.session.get(ApiReplay, number)
        if row is not None:
            row.status, row.location = response.status_code, response.headers.get("Location", "")
            row.answer = None if is_secret else response.get_json(silent=True)
            db.session.commit()
    return response


def init_app(app: Flask) -> None:
    """After who asks is known."""
    app.before_request(begin)
    app.after_request(end)
