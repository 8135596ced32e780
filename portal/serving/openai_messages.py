"""The messages of a chat completion request: a thread as providers take it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.llm_providers.messages import storable
from portal.serving.openai_errors import Fault
from portal.serving.openai_values import (
    LONGEST_NAME,
    function_name_of,
    identity_of,
    string_of,
    wrong_type,
    wrong_value,
)

MOST_MESSAGES = 200
MOST_TOOL_CALLS = 128
DROPPED_ROLES = ("system", "developer")
ROLES = (*DROPPED_ROLES, "user", "assistant", "tool")


def messages_of(given: object) -> tuple[dict[str, Any], ...]:
    """The thread as it goes on to the provider, without system messages. Raises Fault."""
    if given is None:
        raise Fault("Missing required parameter: 'messages'.", "messages")
    if not isinstance(given, list):
        raise wrong_type("messages", "an array of objects", given)
    if len(given) > MOST_MESSAGES:
        message = f"Invalid 'messages': at most {MOST_MESSAGES} messages, got {len(given)}."
        raise Fault(message, "messages", code="array_above_max_length")
    known = [_message(entry, f"messages[{number}]") for number, entry in enumerate(given)]
    kept = [entry for entry in known if entry["role"] not in DROPPED_ROLES]
    if not kept:
        message = "Invalid 'messages': at least one message of a user is needed."
        raise Fault(message, "messages", code="empty_array")
    _check_tool_calls_are_answered(known)
    return tuple(kept)


def _message(entry: object, path: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise wrong_type(path, "an object", entry)
    role = entry.get("role")
    if role not in ROLES:
        expected = ", ".join(f"'{name}'" for name in ROLES)
        raise wrong_value(f"{path}.role", f"expected one of {expected}")
    known: dict[str, Any] = {"role": role}
    if entry.get("name") is not None:
        known["name"] = string_of(entry["name"], f"{path}.name", LONGEST_NAME)
    if role == "assistant":
        return {**known, **_said(entry, path)}
    known["content"] = _content(entry.get("content"), f"{path}.content")
    if role == "tool":
        known["tool_call_id"] = identity_of(entry.get("tool_call_id"), f"{path}.tool_call_id")
    return known


def _said(entry: Mapping[str, Any], path: str) -> dict[str, Any]:
    """An assistant's message has words, or calls of tools, or both."""
    calls, content, refusal = (entry.get(name) for name in ("tool_calls", "content", "refusal"))
    said: dict[str, Any] = {"content": None}
    if content is not None or (calls is None and refusal is None):
        said["content"] = _content(content, f"{path}.content")
    if refusal is not None:
        said["refusal"] = string_of(refusal, f"{path}.refusal")
    if calls is not None:
        said["tool_calls"] = _tool_calls(calls, f"{path}.tool_calls")
    return said


def _content(content: object, path: str) -> str | list[dict[str, str]]:
    if isinstance(content, str):
        return storable(content)
    if content is None:
        raise Fault(f"Missing required parameter: '{path}'.", path)
    if not isinstance(content, list):
        raise wrong_type(path, "a string or an array of text parts", content)
    if not content:
        raise Fault(f"Invalid '{path}': an empty array.", path, code="empty_array")
    return [_text_part(part, f"{path}[{number}]") for number, part in enumerate(content)]


def _text_part(part: object, path: str) -> dict[str, str]:
    if not isinstance(part, dict):
        raise wrong_type(path, "an object", part)
    if part.get("type") != "text":
        raise wrong_value(f"{path}.type", "this client takes text only, expected 'text'")
    return {"type": "text", "text": string_of(part.get("text"), f"{path}.text")}


def _tool_calls(calls: object, path: str) -> list[dict[str, Any]]:
    if not isinstance(calls, list):
        raise wrong_type(path, "an array of objects", calls)
    if not 0 < len(calls) <= MOST_TOOL_CALLS:
        raise Fault(f"Invalid '{path}': expected 1 to {MOST_TOOL_CALLS} calls.", path)
    return [_tool_call(call, f"{path}[{number}]") for number, call in enumerate(calls)]


def _tool_call(call: object, path: str) -> dict[str, Any]:
    if not isinstance(call, dict):
        raise wrong_type(path, "an object", call)
    if call.get("type", "function") != "function":
        raise wrong_value(f"{path}.type", "expected 'function'")
    function = call.get("function")
    if not isinstance(function, dict):
        raise wrong_type(f"{path}.function", "an object", function)
    called = {
        "name": function_name_of(function.get("name"), f"{path}.function.name"),
        "arguments": string_of(function.get("arguments"), f"{path}.function.arguments"),
    }
    return {"id": identity_of(call.get("id"), f"{path}.id"), "type": "function", "function": called}


def _check_tool_calls_are_answered(messages: list[dict[str, Any]]) -> None:
    """After calls of tools come their results, each once, before anything else."""
    waiting: set[str] = set()
    for number, message in enumerate(messages):
        path = f"messages[{number}]"
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise Fault(
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    "preceding message with 'tool_calls'.",
                    f"{path}.role",
                )
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            raise _unanswered(waiting, path)
        waiting = {call["id"] for call in message.get("tool_calls", [])}
    if waiting:
        raise _unanswered(waiting, "messages")


def _unanswered(waiting: set[str], path: str) -> Fault:
    return Fault(
        "An assistant message with 'tool_calls' must be followed by tool messages responding to "
        f"each 'tool_call_id'. No answer to: {', '.join(sorted(waiting))}",
        path,
    )


def last_question(body: Mapping[str, Any]) -> str:
    """What the user said last, for the history; nothing where nothing can be found."""
    messages = body.get("messages")
    for message in reversed(messages if isinstance(messages, list) else []):
        if isinstance(message, dict) and message.get("role") == "user":
            return _text(message.get("content"))
    return ""


def _text(content: object) -> str:
    if isinstance(content, str):
        return storable(content)
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return storable("\n".join(text for text in texts if isinstance(text, str)))
