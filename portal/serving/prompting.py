"""One prompt: session, thread, provider, record, answer — in this order, recorded exactly once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.adapters import Adapters
from portal.errors import AdapterError
from portal.llm_clients.system_role import enhanced
from portal.llm_providers import ChatAnswer, ChatProvider, ChatRequest, ProviderError
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
class Question:
    """What a visitor asked, where, and the conversation before it."""

    message: str
    session_key: str
    thread: list[dict[str, str]]
    asked_at: datetime
    visitor_hash: str = ""
    user_agent: str = ""
    api_key_id: int | None = None
    request_id: str = field(default_factory=lambda: secrets.token_hex(12))


@dataclass(frozen=True)
class Refusal:
    """Why there is no answer, in the visitor's words; `status` is HTTP's."""

    message: str
    status: int


@dataclass(frozen=True)
class Answered:
    """An answer that is in the history."""

    answer: ChatAnswer
    latency_ms: int
    first_token_ms: int


def chat_request(served: Served, question: Question) -> ChatRequest:
    """What the provider gets: our system role, the thread, the visitor's last message."""
    content = served.content
    role = enhanced(content.get("default_system_role", ""), question.asked_at, served.timezone)
    messages = [
        {"role": "system", "content": role},
        *question.thread,
        {"role": "user", "content": question.message},
    ]
    return ChatRequest(
        model=content.get("default_model", ""),
        messages=tuple(messages),
        temperature=content.get("default_temperature"),
        max_tokens=content.get("default_max_tokens"),
    )


def sent_json(request: ChatRequest) -> dict[str, Any]:
    """The request as the console of the sandbox shows it."""
    return {
        "model": request.model,
        "messages": list(request.messages),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens,
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
        self._texts: list[str] = []

    def parts(self) -> Iterator[str]:
        """The answer's text as it comes. Afterwards `answered` or `refusal` is set, and recorded.

        A visitor who hangs up closes this iterator: the provider is hung up on, and what came so
        far is recorded.
        """
        refusal = self._refused_before()
        if refusal is not None:
            self._refuse(refusal, "refused", refusal.message)
            return
        try:
            yield from self._from_provider()
        except GeneratorExit:
            self._record(VISITOR_LEFT, "visitor_left", "The visitor left before the end.", None)
            raise
        except AdapterError as error:
            self._refuse(_refusal_of(error), error.reason, error.detail or error.public_message)

    def whole(self) -> None:
        """The same for callers who want the answer at once; asked for without a stream."""
        refusal = self._refused_before()
        if refusal is not None:
            self._refuse(refusal, "refused", refusal.message)
            return
        try:
            self._accept(self._provider().complete(self.request))
        except AdapterError as error:
            self._refuse(_refusal_of(error), error.reason, error.detail or error.public_message)

    def _refused_before(self) -> Refusal | None:
        if not self.question.message.strip():
            return Refusal(EMPTY, 400)
        if len(self.question.message) > LONGEST_MESSAGE:
            return Refusal(TOO_LONG, 413)
        if self.served.provider_problem:
            return Refusal(UNAVAILABLE, 503)
        return None

    def _provider(self) -> ChatProvider:
        served = self.served
        return self._adapters.chat_provider(
            served.content.get("provider", ""), served.base_url, served.api_key
        )

    def _from_provider(self) -> Iterator[str]:
        stream = self._provider().stream(self.request)
        try:
            for part in stream:
                if part.answer is not None:
                    self._accept(part.answer)
                    return
                if self._first_token_ms is None:
                    self._first_token_ms = self._elapsed_ms()
                self._texts.append(part.text)
                yield part.text
        finally:
            stream.close()
        raise ProviderError(UNAVAILABLE, reason="cut", detail="The stream ended without an answer.")

    def _accept(self, answer: ChatAnswer) -> None:
        latency = self._elapsed_ms()
        first = latency if self._first_token_ms is None else self._first_token_ms
        try:
            self._record(200, "", "", answer)
        except NotRecorded:
            self.refusal = Refusal(NOT_KEPT, 503)
            return
        self.answered = Answered(answer, latency, first)

    def _refuse(self, refusal: Refusal, code: str, text: str) -> None:
        self.refusal = refusal
        try:
            self._record(refusal.status, code, text, None)
        except NotRecorded:
            self.refusal = Refusal(NOT_KEPT, 503)

    def _elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)

    def _record(self, status: int, code: str, text: str, answer: ChatAnswer | None) -> None:
        row = self._row(status, code, text, answer)
        visit = Visit(
            self.question.session_key, self.question.visitor_hash, self.question.user_agent
        )
        self._recorder.record(row, visit)

    def _row(self, status: int, code: str, text: str, answer: ChatAnswer | None) -> dict[str, Any]:
        served, question, said = self.served, self.question, "".join(self._texts)
        response = (
            {"text": answer.text, **answer.raw} if answer else {"text": said} if said else None
        )
        request: dict[str, Any] = {"message": storable(question.message[:LONGEST_MESSAGE])}
        if served.mode == "sandbox":
            request["sent"] = sent_json(self.request)
        return {
            "llm_client_id": served.client_id,
            "account_id": served.account_id,
            "llm_client_name": served.name,
            "created_at": question.asked_at,
            "request_id": question.request_id,
            "request": request,
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
            "answer_preview": storable((answer.text if answer else said)[:400]),
            "response": response,
        }


def storable(text: str) -> str:
    """Without what databases refuse: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _refusal_of(error: AdapterError) -> Refusal:
    """A visitor gets the provider's failure as one sentence; a key or address is not his affair."""
    status = STATUS_OF_REASON.get(error.reason, 502)
    message = error.public_message if isinstance(error, ProviderError) else UNAVAILABLE
    return Refusal(message, status)
