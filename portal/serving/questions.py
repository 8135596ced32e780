"""A question and what it comes with, as values; also the reasons for not answering it. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

LONGEST_MESSAGE = 32_000
UNAVAILABLE = "The assistant is not available right now. Try again in a moment."
EMPTY = "Write a message first."
TOO_LONG = f"The message is longer than {LONGEST_MESSAGE:,} characters."
NOT_KEPT = "Your message could not be stored, so it was not answered. Try again in a moment."


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


class NotAnswered(Exception):
    """Ends an exchange with a refusal; `detail` is for the account's people."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(refusal.message)
        self.refusal = refusal
        self.detail = detail


@dataclass(frozen=True)
class Conversation:
    """What goes to the model after our system role, and what the caller chose with it.

    `question` is the visitor's last text, for the history; `noted` is what the history's request
    has beside it. A caller may choose a `temperature` and fewer `max_tokens` than the client's;
    `extra` has further fields for the provider. With a `refusal` nothing is sent at all. Where a
    person `is_reading`, an answer has to have words.
    """

    question: str
    messages: tuple[dict[str, Any], ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    noted: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None
    is_reading: bool = False


def continued(thread: list[dict[str, str]], message: str) -> Conversation:
    """The thread that we know, and the visitor's next message."""
    messages = (*thread, {"role": "user", "content": message})
    return Conversation(message, messages, refusal=_refused_message(message), is_reading=True)


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
    network_hash: str = ""
    request_id: str = field(default_factory=lambda: secrets.token_hex(12))

    @property
    def message(self) -> str:
        """The visitor's last text."""
        return self.conversation.question
