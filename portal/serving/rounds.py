"""Rounds of tools: the model calls, we answer, it goes on; its last answer is the visitor's."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from portal.database import utc_now
from portal.llm_providers import ChatAnswer, ChatRequest, StreamPart
from portal.llm_providers.messages import MessagePieces
from portal.serving.toolbox import Toolbox

MOST_ROUNDS = 5
MOST_CALLS_A_ROUND = 16
TOO_MANY_CALLS = "Too many calls at once; this one was not made."
LONGEST_NOTE = 4_000
BETWEEN = "\n\n"


class Ask(Protocol):
    """One call of a model: parts, the last of which has the answer."""

    def __call__(
        self, request: ChatRequest, *, whole: bool
    ) -> Generator[StreamPart, None, None]: ...


class Rounds:
    """Asks until the model wants no tool of ours. Afterwards `answer` is the whole of it.

    `calls` is what the history tells of the tools; `said` what a visitor has read so far.
    """

    def __init__(self, toolbox: Toolbox, ask: Ask) -> None:
        self._toolbox = toolbox
        self._ask = ask
        self._answers: list[ChatAnswer] = []
        self.calls: list[dict[str, Any]] = [dict(used) for used in toolbox.used]
        self.said = MessagePieces()
        self.is_under_way = False
        self._is_apart = False  # the next words begin a new paragraph
        self.request = ChatRequest("", ())

    def parts(self, request: ChatRequest, *, whole: bool) -> Generator[StreamPart, None, None]:
        """What the visitor gets to read, over all rounds."""
        self.request = request
        for number in range(MOST_ROUNDS + 1):
            if number == MOST_ROUNDS:
                self.request = _without_tools(self.request)
            answer = yield from self._round(self.request, whole=whole)
            ours, theirs = self._sorted(answer)
            if not ours or theirs or number == MOST_ROUNDS:
                yield from self._their_calls(theirs)
                return
            self._call(answer, ours, number)
            self._is_apart = bool(self.said.text)

    def _round(
        self, request: ChatRequest, *, whole: bool
    ) -> Generator[StreamPart, None, ChatAnswer]:
        """One answer of the model; calls of tools are kept back where they may be ours."""
        self.is_under_way = True
        for part in self._ask(request, whole=whole):  # to its end, so that the connection serves on
            if part.answer is not None:
                self._answers.append(part.answer)
                self.is_under_way = False
                continue
            delta = dict(part.delta)
            if self._toolbox.specs:
                delta.pop("tool_calls", None)
            if self._is_apart and delta.get("content"):
                self._is_apart = False
                yield from self._told({"content": BETWEEN})
            if any(delta.get(name) for name in ("content", "refusal", "tool_calls")):
                yield from self._told(delta)
        return self._answers[-1]

    def _told(self, delta: dict[str, Any]) -> Generator[StreamPart, None, None]:
        self.said.add(delta)
        yield StreamPart(delta.get("content") or "", None, delta)

    def _sorted(self, answer: ChatAnswer) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The calls of our own tools, and those of the caller's."""
        calls = answer.message.get("tool_calls") or []
        ours = [call for call in calls if self._toolbox.offers(call["function"]["name"])]
        return ours, [call for call in calls if call not in ours]

    def _their_calls(self, calls: Sequence[dict[str, Any]]) -> Generator[StreamPart, None, None]:
        """A caller's own tools are the caller's to run, once ours are out of the way."""
        if calls and self._toolbox.specs:
            numbered = [{"index": index, **call} for index, call in enumerate(calls)]
            yield from self._told({"tool_calls": numbered})

    def _call(self, answer: ChatAnswer, calls: list[dict[str, Any]], number: int) -> None:
        """Run the calls and put their results into the next request."""
        results = [self._result(call, at, number) for at, call in enumerate(calls)]
        message = {
            "role": "assistant",
            "content": answer.message.get("content") or None,
            "tool_calls": calls,
        }
        self.request = replace(self.request, messages=(*self.request.messages, message, *results))

    def _result(self, call: dict[str, Any], at: int, number: int) -> dict[str, Any]:
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        if at >= MOST_CALLS_A_ROUND:
            return {"role": "tool", "tool_call_id": call["id"], "content": TOO_MANY_CALLS}
        outcome = self._toolbox.call(name, arguments, utc_now())
        self.calls.append(
            {
                **outcome.noted(),
                "round": number + 1,
                "arguments": arguments[:LONGEST_NOTE],
                "result": outcome.text[:LONGEST_NOTE],
            }
        )
        return {"role": "tool", "tool_call_id": call["id"], "content": outcome.text}

    @property
    def answer(self) -> ChatAnswer:
        """The last answer, with the words and the tokens of all rounds."""
        last = self._answers[-1]
        if not self._toolbox.specs:
            return last
        _, theirs = self._sorted(last)
        text = self.said.text
        message = {**last.message, "content": text or None, "tool_calls": theirs}
        if not theirs:
            message.pop("tool_calls")
            message["content"] = text
        return replace(
            last,
            text=text,
            message=message,
            finish_reason=_finish(last.finish_reason, theirs),
            tokens_in=sum(answer.tokens_in for answer in self._answers),
            tokens_out=sum(answer.tokens_out for answer in self._answers),
        )

    @property
    def tokens(self) -> tuple[int, int]:
        """In and out, of the rounds that have ended."""
        return (
            sum(answer.tokens_in for answer in self._answers),
            sum(answer.tokens_out for answer in self._answers),
        )


def _finish(reason: str, theirs: Sequence[Any]) -> str:
    return "stop" if reason == "tool_calls" and not theirs else reason


def _without_tools(request: ChatRequest) -> ChatRequest:
    """After the last round the model has to answer with what it has."""
    return replace(request, extra={**request.extra, "tool_choice": "none"})
