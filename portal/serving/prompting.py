"""One prompt: session, thread, provider, record, answer — in this order, recorded exactly once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.adapters import Adapters
from portal.errors import AdapterError
from portal.llm_clients.system_role import enhanced
from portal.llm_providers import (
    ChatAnswer,
    ChatProvider,
    ChatRequest,
    ProviderError,
    StreamPart,
)
from portal.llm_providers.messages import MessagePieces, storable
from portal.request_history.recording import NotRecorded, Recorder, Visit
from portal.serving.served import Served

LONGEST_MESSAGE = 32_000
UNAVAILABLE = "The assistant is not available right now. Try again in a moment."
EMPTY = "Write a message first."
TOO_LONG = f"The message is longer than {LONGEST_MESSAGE:,} characters."
NOT_KEPT = "Your message could not be stored, so it was not answered. Try again in a moment."
STATUS_OF_REASON = {
    "timeout": 504,
    "rate_limited": 429,
    "unavailable": 503,
    "unreachable": 503,
    "forbidden_address": 503,
}
VISITOR_LEFT = 499


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer, in the visitor's words; `status` is HTTP's, `reason` a short code.

    `permanent` means that asking again without a change is useless.
    """

    message: str
    status: int
    reason: str = "refused"
    permanent: bool = False
    retry_after_seconds: int | None = None


@dataclass(frozen=True)
class Conversation:
    """What goes to the model after our system role, and what the caller chose with it.

    `question` is the visitor's last text, for the history; `noted` is what the history's request
    has beside it. A caller may choose a `temperature` and fewer `max_tokens` than the client's;
    `extra` has further fields for the provider. With a `refusal` nothing is sent at all.
    """

    question: str
    messages: tuple[dict[str, Any], ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    noted: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None


def continued(thread: list[dict[str, str]], message: str) -> Conversation:
    """The thread that we know, and the visitor's next message."""
    messages = (*thread, {"role": "user", "content": message})
    return Conversation(message, messages, refusal=_refused_message(message))


def _refused_message(message: str) -> Refusal | None:
    if not message.strip():
        return Refusal(EMPTY, 400)
    return Refusal(TOO_LONG, 413) if len(message) > LONGEST_MESSAGE else None


@dataclass(frozen=True)
class Question:
    """What a visitor asked, when, and from where."""

    conversation: Conversation
    session_key: str
    asked_at: datetime
    visitor_hash: str = ""
    user_agent: str = ""
    api_key_id: int | None = None
    request_id: str = field(default_factory=lambda: secrets.token_hex(12))

    @property
    def message(self) -> str:
        """The visitor's last text."""
        return self.conversation.question


@dataclass(frozen=True)
class Answered:
    """An answer that is in the history."""

    answer: ChatAnswer
    latency_ms: int
    first_token_ms: int


def chat_request(served: Served, question: Question) -> ChatRequest:
    """What the provider gets: our system role and the conversation, within the client's limits."""
    content, conversation = served.content, question.conversation
    role = enhanced(content.get("default_system_role", ""), question.asked_at, served.timezone)
    temperature = conversation.temperature
    return ChatRequest(
        model=content.get("default_model", ""),
        messages=({"role": "system", "content": role}, *conversation.messages),
        temperature=content.get("default_temperature") if temperature is None else temperature,
        max_tokens=_least(conversation.max_tokens, content.get("default_max_tokens")),
        extra=conversation.extra,
    )


def _least(wanted: int | None, allowed: int | None) -> int | None:
    known = [limit for limit in (wanted, allowed) if limit is not None]
    return min(known, default=None)


def sent_json(request: ChatRequest) -> dict[str, Any]:
    """The request as the console of the sandbox shows it."""
    return {
        "model": request.model,
        "messages": list(request.messages),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
        **request.extra,
    }


class Exchange:
    """A question on its way to an answer; `parts` or `whole`, then it is recorded."""

    def __init__(
        self, served: Served, question: Question, adapters: Adapters, recorder: Recorder
    ) -> None:
        self.served = served
        self.question = question
        self.request = chat_request(served, question)
        self.refusal: Refusal | None = None
        self.answered: Answered | None = None
        self._adapters = adapters
        self._recorder = recorder
        self._started = time.monotonic()
        self._first_token_ms: int | None = None
        self._said = MessagePieces()

    def parts(self) -> Generator[StreamPart, None, None]:
        """The answer as it comes. Afterwards `answered` or `refusal` is set, and recorded.

        A visitor who hangs up closes this iterator: the provider is hung up on, and what came so
        far is recorded.
        """
        refusal = self._refused_before()
        if refusal is not None:
            self._refuse(refusal)
            return
        try:
            yield from self._from_provider()
        except GeneratorExit:
            self._record(VISITOR_LEFT, "visitor_left", "The visitor left before the end.", None)
            raise
        except AdapterError as error:
            self._refuse(_refusal_of(error), error.detail or error.public_message)

    def whole(self) -> None:
        """The same for callers who want the answer at once; asked for without a stream."""
        refusal = self._refused_before()
        if refusal is not None:
            self._refuse(refusal)
            return
        try:
            self._accept(self._provider().complete(self.request))
        except AdapterError as error:
            self._refuse(_refusal_of(error), error.detail or error.public_message)

    def _refuse(self, refusal: Refusal, detail: str = "") -> None:
        """Record that there is no answer; `detail` is for the account's people."""
        self.refusal = refusal
        try:
            self._record(refusal.status, refusal.reason, detail or refusal.message, None)
        except NotRecorded:
            self.refusal = Refusal(NOT_KEPT, 503, "not_recorded")

    def _refused_before(self) -> Refusal | None:
        if self.question.conversation.refusal is not None:
            return self.question.conversation.refusal
        return Refusal(UNAVAILABLE, 503) if self.served.provider_problem else None

    def _provider(self) -> ChatProvider:
        served = self.served
        return self._adapters.chat_provider(
            served.content.get("provider", ""), served.base_url, served.api_key
        )

    def _from_provider(self) -> Iterator[StreamPart]:
        stream = self._provider().stream(self.request)
        try:
            for part in stream:
                if part.answer is not None:
                    self._accept(part.answer)
                    return
                self._take(part)
                yield part
        finally:
            stream.close()
        raise ProviderError(UNAVAILABLE, reason="cut", detail="The stream ended without an answer.")

    def _take(self, part: StreamPart) -> None:
        """Remember what came; a role alone is not yet a token."""
        if self._first_token_ms is None and (part.text or part.delta.get("tool_calls")):
            self._first_token_ms = self._elapsed_ms()
        self._said.add(part.delta)

    def _accept(self, answer: ChatAnswer) -> None:
        latency = self._elapsed_ms()
        first = latency if self._first_token_ms is None else self._first_token_ms
        try:
            self._record(200, "", "", answer)
        except NotRecorded:
            self.refusal = Refusal(NOT_KEPT, 503, "not_recorded")
            return
        self.answered = Answered(answer, latency, first)

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)

    def _record(self, status: int, code: str, text: str, answer: ChatAnswer | None) -> None:
        row = self._row(status, code, text, answer)
        visit = Visit(
            self.question.session_key, self.question.visitor_hash, self.question.user_agent
        )
        self._recorder.record(row, visit)

    def _row(self, status: int, code: str, text: str, answer: ChatAnswer | None) -> dict[str, Any]:
        served, question = self.served, self.question
        said = answer.text if answer else self._said.text
        return {
            "llm_client_id": served.client_id,
            "account_id": served.account_id,
            "llm_client_name": served.name,
            "created_at": question.asked_at,
            "request_id": question.request_id,
            "request": self._row_request(),
            "session_key": question.session_key,
            "revision_number": served.revision_number,
            "hostname": served.hostname,
            "mode": str(served.mode),
            "api_key_id": question.api_key_id,
            "provider": served.content.get("provider", ""),
            "model": answer.model if answer else self.request.model,
            "status": status,
            "error_code": code,
            "error_text": storable(text),
            "latency_ms": self._elapsed_ms(),
            "first_token_ms": self._first_token_ms,
            "tokens_in": answer.tokens_in if answer else 0,
            "tokens_out": answer.tokens_out if answer else 0,
            "question_preview": storable(question.message[:400]),
            "answer_preview": storable(said[:400]),
            "response": {"text": said, **answer.raw} if answer else self._broken_off(),
        }

    def _row_request(self) -> dict[str, Any]:
        conversation = self.question.conversation
        request: dict[str, Any] = {"message": storable(conversation.question[:LONGEST_MESSAGE])}
        if self.served.mode == "sandbox" and not conversation.noted:
            request["sent"] = sent_json(self.request)
        return {**request, **conversation.noted}

    def _broken_off(self) -> dict[str, Any] | None:
        """What the visitor saw of an answer that never ended; None when there was nothing."""
        calls = self._said.calls()
        if calls:
            return {"text": self._said.text, "tool_calls": calls}
        return {"text": self._said.text} if self._said.text else None


def _refusal_of(error: AdapterError) -> Refusal:
    """A visitor gets the provider's failure as one sentence; a key or address is not his affair."""
    status = STATUS_OF_REASON.get(error.reason, 502)
    if not isinstance(error, ProviderError):
        return Refusal(UNAVAILABLE, status, error.reason, error.permanent)
    wait = error.retry_after_seconds
    return Refusal(error.public_message, status, error.reason, error.permanent, wait)
