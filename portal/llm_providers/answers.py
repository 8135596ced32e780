"""From the provider's JSON to a ChatAnswer: a whole completion, or chunks put together. Pure."""

from collections.abc import Mapping
from typing import Any

from portal.llm_providers import ChatAnswer, ChatRequest

CHARACTERS_PER_TOKEN = 4
MAY_BE_EMPTY = frozenset({"length", "content_filter", "tool_calls", "function_call"})


class Unreadable(Exception):
    """The JSON is not the answer that the protocol promises; the text says what is wrong."""


def whole_answer(completion: object, request: ChatRequest) -> ChatAnswer:
    """The answer in a chat.completion object; raises Unreadable."""
    if not isinstance(completion, dict):
        raise Unreadable("the answer is not a JSON object")
    choice = first_choice(completion)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Unreadable("the answer has no message")
    finish_reason = str(choice.get("finish_reason") or "stop")
    return _answer(text_of(message.get("content")), finish_reason, dict(completion), request)


def first_choice(completion: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first of `choices`; raises Unreadable where there is none."""
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Unreadable("the answer has no choices")
    return choices[0]


def text_of(content: object) -> str:
    """The text of a message: a string, a list of parts, or nothing; raises Unreadable."""
    if content is None:
        return ""
    if isinstance(content, str):
        return _storable(content)
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, dict))
        return _storable("".join(part for part in parts if isinstance(part, str)))
    raise Unreadable("the message's content is not text")


class ChunkedAnswer:
    """Takes the chat.completion.chunk objects of one stream and makes the answer of them."""

    def __init__(self, request: ChatRequest) -> None:
        self._request = request
        self._texts: list[str] = []
        self._head: dict[str, Any] = {}
        self._usage: object = None
        self._finish_reason = ""
        self.ended = False

    def add(self, chunk: object) -> str:
        """The new text in this chunk, often none; None is the stream's end; raises Unreadable."""
        if chunk is None:
            self.ended = True
            return ""
        if not isinstance(chunk, dict):
            raise Unreadable("a chunk is not a JSON object")
        for key in ("id", "created", "model"):
            self._head.setdefault(key, chunk.get(key))
        self._usage = chunk.get("usage") or self._usage
        if not chunk.get("choices"):
            return ""
        choice = first_choice(chunk)
        delta = choice.get("delta") or {}
        if choice.get("finish_reason"):
            self._finish_reason = str(choice["finish_reason"])
            self.ended = True
        text = text_of(delta.get("content")) if isinstance(delta, dict) else ""
        self._texts.append(text)
        return text

    def answer(self) -> ChatAnswer:
        """The whole, in the shape of a chat.completion; raises Unreadable if it is empty."""
        text = "".join(self._texts)
        finish_reason = self._finish_reason or "stop"
        message = {"role": "assistant", "content": text}
        raw = {
            **self._head,
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": self._usage,
        }
        return _answer(text, finish_reason, raw, self._request)


def _answer(text: str, finish_reason: str, raw: dict[str, Any], request: ChatRequest) -> ChatAnswer:
    if not text and finish_reason not in MAY_BE_EMPTY:
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
        tokens_out=estimated_tokens(text) if tokens_out is None else tokens_out,
        raw=raw,
    )


def _storable(text: str) -> str:
    """Without NUL and half surrogate pairs, which JSON may hold and no database takes."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def estimated_tokens(text: str) -> int:
    """A guess: four characters a token, rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _estimate_of(request: ChatRequest) -> int:
    return sum(estimated_tokens(str(message.get("content", ""))) for message in request.messages)


def _count(value: object) -> int | None:
    plausible = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return int(value) if plausible else None  # type: ignore[call-overload]
