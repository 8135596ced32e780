"""A model's message with its text and its calls of tools, whole or put together. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_TOOL_CALLS = 128
TEXTS = ("content", "refusal")


class Unreadable(Exception):
    """The JSON is not the answer that the protocol promises; the text says what is wrong."""


def storable(text: str) -> str:
    """Without NUL and half surrogate pairs, which JSON may hold and no database takes."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def text_of(content: object) -> str:
    """The text of a message: a string, a list of parts, or nothing; raises Unreadable."""
    if content is None:
        return ""
    if isinstance(content, str):
        return storable(content)
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return storable("".join(part for part in parts if isinstance(part, str)))
    raise Unreadable("the message's content is not text")


@dataclass
class _ToolCall:
    """One call as far as it has come."""

    identity: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def whole(self, index: int) -> dict[str, Any]:
        """In the shape of a message's `tool_calls`."""
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.identity or f"call_{index}", "type": "function", "function": function}


class MessagePieces:
    """Takes the deltas of a stream, or one whole message, and makes the message of them."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {name: [] for name in TEXTS}
        self._calls: dict[int, _ToolCall] = {}

    def add(self, delta: object) -> dict[str, Any]:
        """What the protocol knows of a delta (role, content, refusal, tool_calls), cleaned.

        Every call of a tool has its index, and its id and name only once. Raises Unreadable.
        """
        if not isinstance(delta, dict):
            return {}
        known: dict[str, Any] = {"role": "assistant"} if delta.get("role") else {}
        for name in TEXTS:
            if delta.get(name) is not None:
                known[name] = text_of(delta[name])
                self._texts[name].append(known[name])
        if delta.get("tool_calls"):
            known["tool_calls"] = [self._piece_of_call(piece) for piece in _calls_of(delta)]
        return known

    @property
    def text(self) -> str:
        """The content so far."""
        return "".join(self._texts["content"])

    def calls(self) -> list[dict[str, Any]]:
        """The calls of tools so far, perhaps unfinished."""
        return [self._calls[index].whole(index) for index in sorted(self._calls)]

    def message(self) -> dict[str, Any]:
        """The whole, in the shape of a chat.completion's message; raises Unreadable."""
        calls = self.calls()
        if not all(call["function"]["name"] for call in calls):
            raise Unreadable("the answer calls a tool without a name")
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if not calls:
            message["content"] = self.text
        refusal = "".join(self._texts["refusal"])
        if refusal:
            message["refusal"] = refusal
        if calls:
            message["tool_calls"] = calls
        return message

    def _piece_of_call(self, piece: Mapping[str, Any]) -> dict[str, Any]:
        index = self._index_of(piece)
        call = self._calls.setdefault(index, _ToolCall())
        if len(self._calls) > MOST_TOOL_CALLS:
            raise Unreadable(f"the answer calls more than {MOST_TOOL_CALLS} tools")
        named = piece.get("function")
        function: dict[str, Any] = {}
        known: dict[str, Any] = {"index": index}
        if isinstance(piece.get("id"), str) and piece["id"] and not call.identity:
            known["id"] = call.identity = storable(piece["id"])
            known["type"] = "function"
        if isinstance(named, dict):
            if isinstance(named.get("name"), str) and named["name"] and not call.name:
                function["name"] = call.name = storable(named["name"])
            if named.get("arguments") is not None:
                function["arguments"] = _arguments_of(named["arguments"])
                call.arguments.append(function["arguments"])
        return {**known, "function": function}

    def _index_of(self, piece: Mapping[str, Any]) -> int:
        """Where a vendor leaves the index out, an id begins the next call."""
        index = piece.get("index")
        if isinstance(index, int) and not isinstance(index, bool):
            return index
        return len(self._calls) if piece.get("id") else max(self._calls, default=0)


def whole_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """What the protocol knows of a whole message, cleaned; raises Unreadable."""
    pieces = MessagePieces()
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise Unreadable("the calls of tools are not a list")
    numbered = [
        {**call, "index": index} if isinstance(call, dict) else call
        for index, call in enumerate(calls)
    ]
    pieces.add({**message, "tool_calls": numbered})
    return pieces.message()


def delta_of(message: Mapping[str, Any]) -> dict[str, Any]:
    """A whole message as the only delta of a stream."""
    calls = message.get("tool_calls")
    if not calls:
        return dict(message)
    return {**message, "tool_calls": [{"index": i, **call} for i, call in enumerate(calls)]}


def _calls_of(delta: Mapping[str, Any]) -> list[dict[str, Any]]:
    calls = delta["tool_calls"]
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise Unreadable("the calls of tools are not a list of objects")
    return calls


def _arguments_of(arguments: object) -> str:
    """Text as the protocol has it; some vendors send the object itself."""
    if isinstance(arguments, str):
        return storable(arguments)
    if isinstance(arguments, dict):
        return storable(json.dumps(arguments, ensure_ascii=False))
    raise Unreadable("the arguments of a tool are not text")
