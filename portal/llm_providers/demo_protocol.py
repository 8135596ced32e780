"""The OpenAI chat protocol as the demo provider speaks it: what it takes, and its answers' JSON."""

import secrets
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from portal.llm_providers.demo_answers import pieces_of, text_of

MODEL = "demo"


class Refused(Exception):
    """Answered with an OpenAI error object."""

    def __init__(self, status: HTTPStatus, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


def check(content: object) -> None:
    """Raise Refused for a request that the protocol does not know."""
    if not isinstance(content, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is not a JSON object")
    messages = content.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused(HTTPStatus.BAD_REQUEST, "messages must be a list that is not empty")
    if not all(isinstance(message, dict) for message in messages):
        raise Refused(HTTPStatus.BAD_REQUEST, "every message must be an object")
    tools = content.get("tools") or []
    if not isinstance(tools, list) or not all(_is_function(tool) for tool in tools):
        raise Refused(HTTPStatus.BAD_REQUEST, "tools must be a list of functions with names")
    choice = content.get("tool_choice")
    if isinstance(choice, dict) and not _is_function(choice):
        raise Refused(HTTPStatus.BAD_REQUEST, "tool_choice must name a function")
    if content.get("model") != MODEL:
        message = f"The model {content.get('model')!r} does not exist; this provider has {MODEL}"
        raise Refused(HTTPStatus.NOT_FOUND, message, "model_not_found")


def _is_function(tool: object) -> bool:
    function = tool.get("function") if isinstance(tool, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def limited(pieces: list[str], content: Mapping[str, Any]) -> tuple[list[str], str]:
    """The words within the request's limit, and the finish reason; raises Refused."""
    limit = content.get("max_completion_tokens", content.get("max_tokens"))
    if limit is None or (isinstance(limit, int) and limit >= len(pieces)):
        return pieces, "stop"
    if not isinstance(limit, int) or limit < 1:
        raise Refused(HTTPStatus.BAD_REQUEST, "max_tokens must be a whole number above 0")
    return pieces[:limit], "length"


def usage_of(messages: list[dict[str, Any]], pieces: list[str]) -> dict[str, int]:
    """Tokens as the demo counts them: words."""
    asked = sum(len(pieces_of(text_of(message))) for message in messages)
    return {
        "prompt_tokens": asked,
        "completion_tokens": len(pieces),
        "total_tokens": asked + len(pieces),
    }


def _head(kind: str) -> dict[str, Any]:
    identity = f"chatcmpl-demo-{secrets.token_hex(8)}"
    return {"id": identity, "object": kind, "created": int(time.time()), "model": MODEL}


def completion(
    text: str, finish_reason: str, usage: dict[str, int], calls: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """A whole answer, a text or calls of tools."""
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message, finish_reason = {**message, "content": None, "tool_calls": calls}, "tool_calls"
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return {**_head("chat.completion"), "choices": [choice], "usage": usage}


def events(
    pieces: list[str],
    finish_reason: str,
    usage: dict[str, int] | None,
    calls: list[dict[str, Any]] | None = None,
) -> Iterator[dict[str, Any]]:
    """The chunks of a streamed answer, one for each word, or two for each call of a tool."""
    head = _head("chat.completion.chunk")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None if calls else ""}]
    deltas += _call_deltas(calls) if calls else [{"content": piece} for piece in pieces]
    finish_reason = "tool_calls" if calls else finish_reason
    for delta in deltas:
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish_reason}]}
    if usage is not None:
        yield {**head, "choices": [], "usage": usage}


def _call_deltas(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A call begins with its name; its arguments follow in two halves."""
    deltas: list[dict[str, Any]] = []
    for index, call in enumerate(calls):
        arguments = call["function"]["arguments"]
        half = len(arguments) // 2
        begun = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
        deltas.append({"tool_calls": [begun]})
        for part in (arguments[:half], arguments[half:]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    return deltas
