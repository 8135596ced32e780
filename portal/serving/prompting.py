"""One prompt: admitted, reserved, asked with its tools, recorded once, answered."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.adapters import Adapters
from portal.errors import AdapterError
from portal.limits.budgets import Amount
from portal.limits.rates import Limiter
from portal.llm_clients.system_role import enhanced
from portal.llm_providers import ChatAnswer, ChatRequest, ProviderError, StreamPart
from portal.llm_providers.messages import storable
from portal.request_history.recording import NotRecorded, Recorder
from portal.request_history.storing import Visit
from portal.serving import rows
from portal.serving.admission import Purse, ceilings_of, rates_of, refusal_of, tokens_in_of
from portal.serving.attempts import Attempts
from portal.serving.breakers import Breakers
from portal.serving.hang_ups import HangUp
from portal.serving.questions import NOT_KEPT, UNAVAILABLE, NotAnswered, Question, Refusal
from portal.serving.rounds import Rounds
from portal.serving.served import Served
from portal.serving.toolbox import EMPTY, Toolbox
from portal.serving.wordless import in_words

STATUS_OF_REASON = {
    "timeout": 504,
    "rate_limited": 429,
    "unavailable": 503,
    "unreachable": 503,
    "forbidden_address": 503,
}
VISITOR_LEFT = 499
OUR_FAULT = "The portal itself failed. Its log has more, under this request's reference."
log = logging.getLogger(__name__)


OpenToolbox = Callable[[Served, str, datetime], Toolbox]


@dataclass(frozen=True)
class Means:
    """What answering needs of this process, also once its request has no context any more."""

    adapters: Adapters
    recorder: Recorder
    limiter: Limiter
    breakers: Breakers
    open_toolbox: OpenToolbox
    hang_up: HangUp = field(default_factory=HangUp)


@dataclass(frozen=True)
class Answered:
    """An answer that is in the history."""

    answer: ChatAnswer
    latency_ms: int
    first_token_ms: int


def chat_request(served: Served, question: Question, toolbox: Toolbox) -> ChatRequest:
    """What the provider gets: our system role and the conversation, within the client's limits."""
    content, conversation = served.content, question.conversation
    role = enhanced(content.get("default_system_role", ""), question.asked_at, served.timezone)
    temperature = conversation.temperature
    extra = dict(conversation.extra)
    if toolbox.specs:
        extra["tools"] = [*toolbox.specs, *_others(extra.get("tools", []), toolbox)]
    return ChatRequest(
        model=content.get("default_model", ""),
        messages=(
            {"role": "system", "content": "\n\n".join((role, *toolbox.context))},
            *conversation.messages,
        ),
        temperature=content.get("default_temperature") if temperature is None else temperature,
        max_tokens=_least(conversation.max_tokens, content.get("default_max_tokens")),
        extra=extra,
    )


def _others(tools: list[dict[str, Any]], toolbox: Toolbox) -> list[dict[str, Any]]:
    """A caller's own tools; one that is called like a tool of the client's gives way to it."""
    return [tool for tool in tools if not toolbox.offers(tool["function"]["name"])]


def _least(wanted: int | None, allowed: int | None) -> int | None:
    known = [limit for limit in (wanted, allowed) if limit is not None]
    return min(known, default=None)


class Exchange:
    """A question on its way to an answer; `parts` or `whole`, then it is recorded."""

    def __init__(self, served: Served, question: Question, means: Means) -> None:
        self.served = served
        self.question = question
        self.request = chat_request(served, question, EMPTY)
        self.refusal: Refusal | None = None
        self.answered: Answered | None = None
        self._means = means
        self._started = time.monotonic()
        self._first_token_ms: int | None = None
        self._purse = Purse(served, question, means.recorder)
        self._rounds = Rounds(EMPTY, self._ask)
        self._attempts = self._new_attempts()
        self._tried: list[dict[str, Any]] = []
        self._spent = Amount(0, 0)

    def whole(self) -> None:
        """The answer at once. Afterwards `answered` or `refusal` is set, and recorded."""
        for _ in self.parts(whole=True):
            pass

    def parts(self, *, whole: bool = False) -> Generator[StreamPart, None, None]:
        """The answer as it comes. Afterwards `answered` or `refusal` is set, and recorded.

        A visitor who hangs up closes this iterator, or is noticed by `hang_up`: the provider is
        hung up on, and what came so far is recorded.
        """
        try:
            self._check()
            yield from self._admitted(whole)
        except GeneratorExit:
            self._record_leaving()
            raise
        except NotAnswered as error:
            self._refuse(error.refusal, error.detail)
        except AdapterError as error:
            if self._means.hang_up.gone:
                self._record_leaving()
            else:
                self._refuse(_refusal_of(error), error.detail or error.public_message)
        except Exception:
            log.exception("prompt %s failed", self.question.request_id)
            self._refuse(Refusal(UNAVAILABLE, 500, "fault"), OUR_FAULT)

    def _check(self) -> None:
        """Raise NotAnswered for what need not be asked."""
        refusal = self.question.conversation.refusal
        if refusal is not None:
            raise NotAnswered(refusal)
        if all(endpoint.problem for endpoint in self.served.endpoints):
            problem = self.served.endpoint.problem
            raise NotAnswered(Refusal(UNAVAILABLE, 503), problem)

    def _admitted(self, whole: bool) -> Generator[StreamPart, None, None]:
        """Within the rates and ceilings, until the answer has ended."""
        limiter, entry = self._means.limiter, self.question.request_id
        ceilings = ceilings_of(self.served)
        denied = limiter.admit(rates_of(self.served, self.question), ceilings, entry)
        if denied is not None:
            raise NotAnswered(refusal_of(denied))
        self._means.hang_up.begin()
        try:
            self._open_toolbox()
            for part in self._rounds.parts(self.request, whole=whole):
                if self._first_token_ms is None and (part.text or part.delta.get("tool_calls")):
                    self._first_token_ms = self._elapsed_ms()
                yield part
        finally:
            self._means.hang_up.end()
            limiter.release(ceilings, entry)
        self.request = self._rounds.request
        answer = came = self._rounds.answer
        if self.question.conversation.is_reading:
            answer = in_words(came)
        if answer is not came:
            yield StreamPart(answer.text, None, {"content": answer.text})
        self._accept(answer)

    def _open_toolbox(self) -> None:
        """Plugins may ask others beforehand, so only for a prompt that is let through."""
        question = self.question
        toolbox = self._means.open_toolbox(self.served, question.message, question.asked_at)
        if toolbox is not EMPTY:
            self.request = chat_request(self.served, question, toolbox)
            self._rounds = Rounds(toolbox, self._ask)

    def _ask(self, request: ChatRequest, *, whole: bool) -> Generator[StreamPart, None, None]:
        """One call of the model, reserved before it is made."""
        endpoints = self.served.endpoints
        self._attempts.was_asked = False  # if the budget is reached nobody is
        chosen = self._purse.reserve(request, endpoints[0])
        self._attempts = self._new_attempts(endpoints if chosen is endpoints[0] else (chosen,))
        try:
            for part in self._attempts.parts(request, whole=whole):
                if part.answer is not None:
                    self._spend(part.answer.tokens_in, part.answer.tokens_out)
                yield part
        finally:
            self._tried.extend(self._attempts.tried)

    def _new_attempts(self, endpoints: tuple[Any, ...] | None = None) -> Attempts:
        means = self._means
        return Attempts(
            endpoints or self.served.endpoints,
            means.adapters.chat_provider,
            means.breakers,
            means.hang_up,
        )

    def _spend(self, tokens_in: int, tokens_out: int) -> None:
        used = self._attempts.endpoint.amount(tokens_in, tokens_out)
        self._spent = Amount(self._spent.tokens + used.tokens, self._spent.micros + used.micros)

    def _accept(self, answer: ChatAnswer) -> None:
        latency = self._elapsed_ms()
        first = latency if self._first_token_ms is None else self._first_token_ms
        try:
            self._record(200, "", "", answer)
        except NotRecorded:
            self.refusal = Refusal(NOT_KEPT, 503, "not_recorded")
            return
        self.answered = Answered(answer, latency, first)

    def _refuse(self, refusal: Refusal, detail: str = "") -> None:
        """Record that there is no answer; `detail` is for the account's people."""
        self.refusal = refusal
        try:
            self._record(refusal.status, refusal.reason, detail or refusal.message, None)
        except NotRecorded:
            self.refusal = Refusal(NOT_KEPT, 503, "not_recorded")

    def _record_leaving(self) -> None:
        self.refusal = Refusal(UNAVAILABLE, VISITOR_LEFT, "visitor_left")
        with contextlib.suppress(NotRecorded):  # nobody is there to be told
            self._record(VISITOR_LEFT, "visitor_left", "The visitor left before the end.", None)

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)

    def _record(self, status: int, code: str, text: str, answer: ChatAnswer | None) -> None:
        question = self.question
        unsettled = (0, 0) if answer else self._estimated()
        self._spend(*unsettled)
        row = rows.of_exchange(
            self.served, question, self._attempts.endpoint, self.request, self._rounds, answer
        )
        row.update(
            status=status,
            error_code=code,
            error_text=storable(text),
            latency_ms=self._elapsed_ms(),
            first_token_ms=self._first_token_ms,
            cost_micros=self._spent.micros if self._attempts.endpoint.price else None,
            tokens_in=row["tokens_in"] + unsettled[0],
            tokens_out=row["tokens_out"] + unsettled[1],
        )
        rows.add_attempts(row, self._tried)
        who = question.visitor_hash, question.user_agent, question.network_hash
        visit = Visit(question.session_key, *who)
        self._means.recorder.record(row, visit, self._purse.settled(self._spent))

    def _estimated(self) -> tuple[int, int]:
        """What the provider will have counted of an answer that broke off after it had begun."""
        said = self._rounds.said.text
        was_paid_for = self._attempts.was_asked and self._rounds.is_under_way
        if not was_paid_for or not (said or self._means.hang_up.gone):
            return 0, 0
        return tokens_in_of(self._rounds.request), -(-len(said.encode()) // 4)


def _refusal_of(error: AdapterError) -> Refusal:
    """A visitor gets the provider's failure as one sentence; a key or address is not his affair."""
    status = STATUS_OF_REASON.get(error.reason, 502)
    if not isinstance(error, ProviderError):
        return Refusal(UNAVAILABLE, status, error.reason, error.permanent)
    wait = error.retry_after_seconds
    return Refusal(error.public_message, status, error.reason, error.permanent, wait)
