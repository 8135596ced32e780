"""The client as OpenAI's API has models: chat completions and the list of models.

Stateless: the thread is what the caller sends. The client's own system role, model and limits
always apply. docs/openai-api.md tells callers what is honoured.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator, Iterator, Mapping
from itertools import chain
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import ClosingIterator

from portal.database import db
from portal.llm_providers import ChatAnswer, StreamPart
from portal.request_history import current_recorder
from portal.serving import incoming
from portal.serving.events import event, event_stream
from portal.serving.exchanges import exchange_of
from portal.serving.hosts import key_id_or_refused, prompted_client, requested_client
from portal.serving.openai_errors import Fault, error_body, refusal_body, retry_headers
from portal.serving.openai_messages import last_question
from portal.serving.openai_request import Wish, check_model, noted, session_key_of, wish_of
from portal.serving.prompting import Exchange
from portal.serving.questions import Conversation, Refusal
from portal.serving.refusals import record_refusal
from portal.serving.served import Served
from portal.web import ANYBODY, DATABASE_AWAY, ERRORS, permits

log = logging.getLogger(__name__)
blueprint = Blueprint("openai", __name__)

ON_PLATFORM = "/api/v1/llm-clients/<public_id:public_id>"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
SESSION_HEADER = "X-Session-Key"
TOO_LARGE = "The request is larger than 1 MB."
DONE = b"data: [DONE]\n\n"


@blueprint.post("/v1/chat/completions")
@blueprint.post(f"{ON_PLATFORM}/v1/chat/completions")
@permits(ANYBODY, writes=False)
def chat_completions(public_id: str | None = None) -> Any:
    """An answer to the caller's messages, whole or streamed."""
    served = requested_client(public_id)
    key_id = key_id_or_refused(served)
    body = incoming.json_body()
    wish, fault = _wish_or_fault(served, body)
    exchange = _exchange(served, wish.conversation, _session_key(served, body), key_id)
    if fault is not None:
        exchange.whole()
        return _failed(exchange, fault)
    return _streamed(exchange, wish) if wish.stream else _whole(exchange)


@blueprint.get("/v1/models")
@blueprint.get(f"{ON_PLATFORM}/v1/models")
@permits(ANYBODY)
def models(public_id: str | None = None) -> Any:
    """The one model that this client answers with."""
    served = requested_client(public_id)
    key_id_or_refused(served)
    return {"object": "list", "data": [_model(served, _names(served)[0])]}


@blueprint.get("/v1/models/<path:model_id>")
@blueprint.get(f"{ON_PLATFORM}/v1/models/<path:model_id>")
@permits(ANYBODY)
def model(model_id: str, public_id: str | None = None) -> Any:
    """The client's model, by its name or the client's."""
    served = requested_client(public_id)
    key_id_or_refused(served)
    check_model(model_id, _names(served))
    return _model(served, model_id)


@blueprint.route("/v1/<path:rest>", methods=METHODS)
@blueprint.route(f"{ON_PLATFORM}/v1/<path:rest>", methods=METHODS)
@permits(ANYBODY, writes=False)
def unknown(rest: str, public_id: str | None = None) -> Any:
    """Whatever else the original has: an error that its SDKs understand."""
    requested_client(public_id)
    if rest in ("chat/completions", "models") or rest.startswith("models/") and rest != "models/":
        raise Fault(f"Not allowed to {request.method} on /v1/{rest}.", status=405)
    message = f"Unknown request URL: {request.method} /v1/{rest}."
    raise Fault(message, status=404, code="unknown_url")


def _names(served: Served) -> tuple[str, str]:
    return served.content.get("default_model", ""), served.name


def _model(served: Served, name: str) -> dict[str, Any]:
    owner = served.content.get("provider", "")
    return {"id": name, "object": "model", "created": 0, "owned_by": owner}


def _wish_or_fault(served: Served, body: Mapping[str, Any]) -> tuple[Wish, Fault | None]:
    """What the caller asks for; one that cannot be has its row too."""
    try:
        session_key_of(body)
        return wish_of(body, _names(served)), None
    except Fault as fault:
        refusal = Refusal(fault.message, fault.status, fault.code or "refused", permanent=True)
        refused = Conversation(last_question(body), noted=noted(body), refusal=refusal)
        return Wish(refused, stream=False, include_usage=False), fault


def _session_key(served: Served, body: Mapping[str, Any]) -> str:
    given = request.headers.get(SESSION_HEADER, "")
    if not given:
        try:
            given = session_key_of(body)
        except Fault:
            given = ""
    return incoming.session_key(served, given)


def _exchange(
    served: Served, conversation: Conversation, key: str, api_key_id: int | None
) -> Exchange:
    """The row's reference is the answer's `x-request-id`."""
    question = incoming.question_of(conversation, key, api_key_id)
    g.request_id, g.session_key = question.request_id, key
    return exchange_of(served, question)


def _whole(exchange: Exchange) -> Any:
    exchange.whole()
    if exchange.answered is None:
        return _failed(exchange)
    answer = exchange.answered.answer
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": None, "refusal": None, **answer.message},
        "logprobs": None,
        "finish_reason": answer.finish_reason,
    }
    return {**_head(exchange, "chat.completion"), "choices": [choice], "usage": _usage(answer)}


def _failed(exchange: Exchange, fault: Fault | None = None) -> Any:
    """The caller's own fault in detail, unless even that could not be recorded."""
    refusal = exchange.refusal or Refusal(ERRORS[500][1], 500)
    if fault is not None and refusal.status == fault.status:
        return _fault_answer(fault)
    headers = retry_headers(
        refusal.status, refusal.retry_after_seconds, permanent=refusal.permanent
    )
    return jsonify(refusal_body(refusal)), refusal.status, headers


def _streamed(exchange: Exchange, wish: Wish) -> Any:
    """A failure before the first part is an ordinary error with its status."""
    parts = exchange.parts()
    first = next(parts, None)
    if exchange.refusal is not None:
        return _failed(exchange)
    told = chain([] if first is None else [first], parts)
    chunks = _chunks(exchange, told, include_usage=wish.include_usage)
    return event_stream(ClosingIterator(chunks, parts.close))


def _chunks(
    exchange: Exchange, parts: Iterator[StreamPart], *, include_usage: bool
) -> Generator[bytes, None, None]:
    """Deltas as they come; how it finished, usage and `[DONE]` once the row is committed."""
    head = _head(exchange, "chat.completion.chunk")
    if include_usage:
        head["usage"] = None
    opening = {"role": "assistant"}
    for part in parts:
        yield _chunk(head, {**opening, **part.delta})
        opening = {}
    if exchange.answered is not None:
        answer = exchange.answered.answer
        yield _chunk(head, opening, answer.finish_reason)
        if include_usage:
            yield _data({**head, "choices": [], "usage": _usage(answer)})
        yield DONE
    elif exchange.refusal is not None:
        yield event("error", refusal_body(exchange.refusal))


def _chunk(
    head: Mapping[str, Any], delta: Mapping[str, Any], finish_reason: str | None = None
) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _data({**head, "choices": [choice]})


def _data(value: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


def _head(exchange: Exchange, kind: str) -> dict[str, Any]:
    question = exchange.question
    return {
        "id": f"chatcmpl-{question.request_id}",
        "object": kind,
        "created": int(question.asked_at.timestamp()),
        "model": exchange.request.model,
    }


def _usage(answer: ChatAnswer) -> dict[str, int]:
    return {
        "prompt_tokens": answer.tokens_in,
        "completion_tokens": answer.tokens_out,
        "total_tokens": answer.tokens_in + answer.tokens_out,
    }


@blueprint.after_request
def _add_headers(response: Response) -> Response:
    """The session, and what scripts of other origins may send and read."""
    if "session_key" in g:
        response.headers[SESSION_HEADER] = g.session_key
    if request.headers.get("Origin"):
        wanted = request.headers.get("Access-Control-Request-Headers", "").lower().split(",")
        of_sdks = sorted(name.strip() for name in wanted if name.strip().startswith("x-stainless-"))
        allowed = ["authorization", "content-type", SESSION_HEADER.lower(), *of_sdks[:20]]
        response.headers["Access-Control-Allow-Headers"] = ", ".join(allowed)
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Expose-Headers"] = (
            "x-request-id, x-session-key, x-should-retry, retry-after"
        )
    return response


@blueprint.errorhandler(Fault)
def _fault_answer(fault: Fault) -> Any:
    body = error_body(fault.status, fault.message, fault.param, fault.code)
    return jsonify(body), fault.status, retry_headers(fault.status)


@blueprint.errorhandler(HTTPException)
def _refused(error: HTTPException) -> Any:
    """No such client, no key, no JSON, too much: a prompt that got this far has its row."""
    status = error.code or 500
    if status < 400:
        return error
    sentence = str(getattr(error, "sentence", None) or error.description or ERRORS[400][1])
    sentence = TOO_LARGE if status == 413 else sentence
    served = prompted_client() if request.endpoint == "openai.chat_completions" else None
    if served is not None:
        record_refusal(current_recorder(), served, status, sentence, g.request_id)
    return jsonify(error_body(status, sentence)), status, retry_headers(status)


@blueprint.errorhandler(Exception)
def _broken(error: Exception) -> Any:
    """A fault of ours: nothing that happened inside is told."""
    status = 503 if isinstance(error, DATABASE_AWAY) else 500
    if status == 503:
        db.session.rollback()
    else:
        log.exception("request %s failed", g.get("request_id"))
    return jsonify(error_body(status, ERRORS[status][1])), status, retry_headers(status)
