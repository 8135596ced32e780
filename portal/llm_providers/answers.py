"""From the provider's JSON to a ChatAnswer: a whole completion, or chunks put together. Pure."""

from collections.abc import Mapping
from typing import Any

from portal.llm_providers import ChatAnswer, ChatRequest
from portal.llm_providers.messages import MessagePieces, Unreadable, whole_message

CHARACTERS_PER_TOKEN = 4
MAY_BE_EMPTY = frozenset({"length", "content_filter", "tool_calls", "function_call"})


def whole_answer(completion: object, request: ChatRequest) -> ChatAnswer:
    """The answer in a chat.completion object; raises Unreadable."""
    if not isinstance(completion, dict):
        raise Unreadable("the answer is not a JSON object")
    choice = first_choice(completion)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Unreadable("the answer has no message")
    finish_reason = str(choice.get("finish_reason") or "stop")
    return _answer(whole_message(message), finish_reason, dict(completion), request)


def first_choice(completion: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of `choices`; raises Unreadable where there is none."""
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Unreadable("the answer has no choices")
    return choices[0]


class ChunkedAnswer:
    """Takes the chat.completion.chunk objects of one stream and makes the answer of them."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._pieces = MessagePieces()
        self._head: dict[str, Any] = {}
        self._usage: object = None
        self._finish_reason = ""
        self.ended = False

    def add(self, chunk: object) -> dict[str, Any]:
        """The delta in this chunk, often empty; None is the stream's end; raises Unreadable."""
        if chunk is None:
            self.ended = True
            return {}
        if not isinstance(chunk, dict):
            raise Unreadable("a chunk is not a JSON object")
        for key in ("id", "created", "model"):
            self._head.setdefault(key, chunk.get(key))
        self._usage = chunk.get("usage") or self._usage
        if not chunk.get("choices"):
            return {}
        choice = first_choice(chunk)
        if choice.get("finish_reason"):
            self._finish_reason = str(choice["finish_reason"])
            self.ended = True
        return self._pieces.add(choice.get("delta"))

    def answer(self) -> ChatAnswer:
        """The whole, in the shape of a chat.completion; raises Unreadable if it is empty."""
        finish_reason = self._finish_reason or "stop"
        message = self._pieces.message()
        raw = {
            **self._head,
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": self._usage,
        }
        return _answer(message, finish_reason, raw, self._request)


def _answer(
    message: dict[str, Any], finish_reason: str, raw: dict[str, Any], request: ChatRequest
) -> ChatAnswer:
    text = message["content"] or ""
    says_something = text or message.get("tool_calls") or message.get("refusal")
    if not says_something and finish_reason not in MAY_BE_EMPTY:
        raise Unreadable("the answer is empty")
    usage = raw.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    tokens_in = _count(counts.get("prompt_tokens"))
    tokens_out = _count(counts.get("completion_tokens"))
    if tokens_in is None or tokens_out is None:
        raw["usage_estimated"] = True
    return ChatAnswer(
        text=text,
        model=str(raw.get("model") or request.model),
        finish_reason=finish_reason,
        tokens_in=_estimate_of(request) if tokens_in is None else tokens_in,
        tokens_out=_estimate_of_answer(message) if tokens_out is None else tokens_out,
        raw=raw,
        message=message,
    )


def estimated_tokens(text: str) -> int:
    """A guess: four characters a token, rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _estimate_of(request: ChatRequest) -> int:
    return sum(estimated_tokens(str(message.get("content", ""))) for message in request.messages)


def _estimate_of_answer(message: Mapping[str, Any]) -> int:
    calls = message.get("tool_calls", [])
    written = "".join(call["function"]["arguments"] for call in calls)
    return estimated_tokens((message["content"] or "") + written)


def _count(value: object) -> int | None:
    plausible = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return int(value) if plausible else None  # type: ignore[call-overload]
