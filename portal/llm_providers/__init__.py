"""The port to language models: one question with its conversation in, one answer out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

from portal.errors import AdapterError

ProviderReason = Literal[
    "timeout",
    "rate_limited",
    "unavailable",
    "refused",
    "bad_request",
    "malformed",
    "cut",
    "too_large",
    "unreachable",
]


@dataclass(frozen=True)
class ChatRequest:
    """What is asked. `messages` have `role` and `content`; None leaves the choice to the provider.

    `temperature` is 0 to 2; `max_tokens` limits the answer; `extra` has further fields of the
    protocol (`tools`, `response_format`, …), sent as they are.
    """

    model: str
    messages: tuple[dict[str, Any], ...]
    temperature: float | None = None
    max_tokens: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ChatAnswer:
    """The whole answer. `raw` is the provider's JSON; it says `usage_estimated` where it gave none.

    `finish_reason` is the provider's word: stop, length, content_filter, tool_calls. `message` is
    the assistant's message with `content` and, where there are any, `refusal` and `tool_calls`.
    """

    text: str
    model: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    raw: dict[str, Any] = field(default_factory=dict, repr=False)
    message: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class StreamPart:
    """A piece as it arrives; the last part has no text and carries the whole answer.

    `delta` is the piece in the protocol's shape (role, content, refusal, tool_calls), so a part may
    have a delta and no text. `finish_reason` comes with the last part, which has no delta.
    """

    text: str
    answer: ChatAnswer | None = None
    delta: Mapping[str, Any] = field(default_factory=dict)
    finish_reason: str | None = None


class ProviderError(AdapterError):
    """The provider gave no usable answer. `http_status` and `retry_after_seconds` where known."""

    def __init__(
        self,
        public_message: str,
        *,
        reason: ProviderReason,
        permanent: bool = False,
        detail: str = "",
        http_status: int | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(public_message, reason=reason, permanent=permanent, detail=detail)
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds


class ChatStream(Iterator[StreamPart], Protocol):
    """Parts of one answer. `close` may be called from any thread and hangs up on the provider."""

    def close(self) -> None:
        """Stop at once: a thread that waits for the next part gets StopIteration."""

    def __enter__(self) -> Self:
        """Leaving the block closes the stream."""

    def __exit__(self, *exception: object) -> None:
        """Close."""


class ChatProvider(Protocol):
    """Asks a model. Both verbs raise ProviderError; the stream also while it is read."""

    def complete(self, request: ChatRequest) -> ChatAnswer:
        """Wait for the whole answer."""

    def stream(self, request: ChatRequest, *, whole: bool = False) -> ChatStream:
        """The answer in parts; the request leaves when the first part is asked for.

        With `whole` the provider is asked to send all at once.
        """
