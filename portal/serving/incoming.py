"""Reading what strangers send: bounded, strict, never a fault of ours."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import current_app, request
from werkzeug.exceptions import BadRequest

from portal.database import current_settings, end_reading, utc_now
from portal.llm_providers.messages import storable
from portal.request_history import key_networks, queries
from portal.serving import session_keys
from portal.serving.attachments import LARGEST_FILE, MOST_FILES, SentFile, conversation_with
from portal.serving.questions import Conversation, Question, Refusal, continued
from portal.serving.served import Served

MOST_DEPTH = 64
NOTHING_TO_REPLACE = "There is no answer in this chat yet. Write a message first."


def json_body() -> dict[str, Any]:
    """The JSON object of the body; an empty body is an empty object. Raises BadRequest."""
    text = request.get_data(cache=False)
    if not text.strip():
        return {}
    try:
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body must be a JSON object.") from error
    if not isinstance(found, dict) or _depth(found) > MOST_DEPTH:
        raise BadRequest("The body must be a JSON object, at most 64 levels deep.")
    return found


FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def sent_values() -> tuple[str, str]:
    """Message and session key, from a form or from JSON."""
    given: Any = request.form if request.mimetype in FORMS else json_body()
    return str(given.get("message", "")), str(given.get("session_key", ""))


def sent_files() -> list[SentFile]:
    """The files of a form, each read only as far as tells that it is too large."""
    chosen = [file for file in request.files.getlist("files") if file.filename]
    return [
        SentFile(file.filename or "", file.stream.read(LARGEST_FILE + 1))
        for file in chosen[: MOST_FILES + 1]
    ]


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    """No number of JSON is infinite, and no database takes one that is."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large")
    return number


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= MOST_DEPTH:
        depth += 1
        inner = [list(v.values()) if isinstance(v, dict) else v for v in level]
        level = [x for v in inner if isinstance(v, list) for x in v if isinstance(x, dict | list)]
    return depth


def session_key(served: Served, given: str | None) -> str:
    """The session that a caller named, if it is one of this client's; else a new one."""
    return session_keys.kept_or_new(given or "", served.client_id, current_settings().secret_key)


def question(
    served: Served,
    message: str,
    given_key: str | None,
    api_key_id: int | None = None,
    files: Sequence[SentFile] = (),
) -> Question:
    """A question with its thread; no transaction is open when this returns.

    A session that begins with this question has no thread to be asked for.
    """
    key = session_key(served, given_key)
    thread = queries.thread(served.client_id, key) if key == given_key else []
    end_reading()
    are_taken = bool(served.content.get("app_file_attachment"))
    conversation = conversation_with(thread, storable(message), files, are_taken=are_taken)
    return question_of(conversation, key, api_key_id)


def question_again(served: Served, given_key: str, api_key_id: int | None = None) -> Question:
    """The last answered question of a session once more, after the thread that stood before it.

    The row of the new answer names the one it replaces, so that later threads have the newest only.
    """
    key = session_key(served, given_key)
    turns = queries.turns(served.client_id, key) if key == given_key else []
    end_reading()
    if not turns:
        refused = Conversation("", refusal=Refusal(NOTHING_TO_REPLACE, 409))
        return question_of(refused, key, api_key_id)
    *before, last = turns
    again = continued(queries.messages_of(before), last.question)
    noted = {**last.noted, "regenerates": last.request_id}
    return question_of(replace(again, noted=noted), key, api_key_id)


def question_of(conversation: Conversation, key: str, api_key_id: int | None) -> Question:
    """A conversation with who asks, and when."""
    return Question(
        conversation=conversation,
        session_key=key,
        asked_at=utc_now(),
        visitor_hash=_visitor_hash(),
        user_agent=storable(request.headers.get("User-Agent", ""))[:255],
        api_key_id=api_key_id,
        network_hash="" if api_key_id is None else _network_hash(api_key_id),
    )


def _network_hash(api_key_id: int) -> str:
    """From which network a key is used, told apart for this key alone."""
    secret = str(current_app.config["SECRET_KEY"])
    return key_networks.hash_of(api_key_id, request.remote_addr or "", secret)


def _visitor_hash() -> str:
    address = (request.remote_addr or "").encode()
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, b"visitor/" + address, hashlib.sha256).hexdigest()


def bearer() -> str:
    """The key behind `Authorization: Bearer`; often there is nothing behind it."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""
