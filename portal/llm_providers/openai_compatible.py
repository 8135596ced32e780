"""A provider that speaks the OpenAI chat protocol: OpenAI itself and nearly everybody else."""

import json
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, Self, TypeVar

from portal import outgoing
from portal.errors import AdapterError
from portal.llm_providers import ChatAnswer, ChatRequest, ProviderError, StreamPart
from portal.llm_providers.answers import ChunkedAnswer, whole_answer
from portal.llm_providers.events import LineTooLong, event_data
from portal.llm_providers.exchange import Exchange, Limits
from portal.llm_providers.failures import event_failure
from portal.llm_providers.messages import Unreadable, delta_of
from portal.llm_providers.scrubbing import DeltaScrubber, scrubbed

Read = TypeVar("Read")
EVENT_STREAM = "text/event-stream"
END = "[DONE]"
ANSWER_LIMIT_FIELD = "max_tokens"


class OpenAICompatibleProvider:
    """`base_url` ends before `/chat/completions`. Times in seconds: to connect, silent, in all.

    Calls nothing when it is made; raises AdapterError (`bad_url`) for a URL that may not be called.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        allow_private_addresses: bool,
        connect_timeout: float = 5,
        read_timeout: float = 60,
        total_timeout: float = 300,
        answer_limit_field: str = ANSWER_LIMIT_FIELD,
        stream_usage: bool = True,
        fixed_temperature: frozenset[str] = frozenset(),
    ) -> None:
        outgoing.check_url(base_url, allow_private_addresses)
        self._url = base_url.rstrip("/") + "/chat/completions"
        self._key = api_key
        self._allow_private = allow_private_addresses
        self._limits = Limits(connect_timeout, read_timeout, total_timeout)
        self._answer_limit_field = answer_limit_field
        self._stream_usage = stream_usage
        self._fixed_temperature = fixed_temperature

    def complete(self, request: ChatRequest) -> ChatAnswer:
        """Wait for the whole answer; raises ProviderError."""
        with self._exchange(request, stream=False) as exchange:
            return _whole(exchange, request, self._key)

    def stream(self, request: ChatRequest, *, whole: bool = False) -> "AnswerStream":
        """The answer in parts; the request leaves when the first part is asked for.

        With `whole` the provider is asked for one piece, which can be hung up on all the same.
        """
        return AnswerStream(self._exchange(request, stream=not whole), request, self._key)

    def _exchange(self, request: ChatRequest, *, stream: bool) -> Exchange:
        headers = {
            "Content-Type": "application/json",
            "Accept": EVENT_STREAM if stream else "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "portal",
        }
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return Exchange(
            self._url,
            headers,
            self._content(request, stream),
            limits=self._limits,
            secret=self._key,
            allow_private=self._allow_private,
        )

    def _content(self, request: ChatRequest, stream: bool) -> dict[str, Any]:
        content: dict[str, Any] = dict(request.extra)
        content.update(model=request.model, messages=list(request.messages))
        if request.temperature is not None and request.model not in self._fixed_temperature:
            content["temperature"] = request.temperature
        if request.max_tokens is not None:
            content[self._answer_limit_field] = request.max_tokens
        if stream:
            content["stream"] = True
        if stream and self._stream_usage:
            content["stream_options"] = {"include_usage": True}
        return content


class AnswerStream(Iterator[StreamPart]):
    """Parts of one answer. Close it, or leave its `with` block, to hang up on the provider."""

    def __init__(self, exchange: Exchange, request: ChatRequest, key: str) -> None:
        self._exchange = exchange
        self._parts = _parts(exchange, request, key)
        self._reading = threading.Lock()

    def __next__(self) -> StreamPart:
        """The next part; raises ProviderError. After `close` there is none."""
        with self._reading:
            if self._exchange.aborted:
                self._parts.close()
                raise StopIteration
            try:
                return next(self._parts)
            except AdapterError:
                if self._exchange.aborted:
                    raise StopIteration from None
                raise

    def __enter__(self) -> Self:
        """Leaving the block closes the stream."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Hang up at once, from any thread; a thread that waits for a part gets StopIteration."""
        self._exchange.abort()
        if self._reading.acquire(blocking=False):
            try:
                self._parts.close()
            finally:
                self._reading.release()


def _parts(exchange: Exchange, request: ChatRequest, key: str) -> Generator[StreamPart, None, None]:
    with exchange:
        if exchange.content_type == EVENT_STREAM:
            yield from _streamed(exchange, request, key)
            exchange.drain()
        else:
            answer = _whole(exchange, request, key)
            yield StreamPart(answer.text, None, delta_of(answer.message))
            yield _end(answer)


def _streamed(exchange: Exchange, request: ChatRequest, key: str) -> Iterator[StreamPart]:
    collected, scrubber = ChunkedAnswer(request), DeltaScrubber(key)
    try:
        for chunk in _chunks(exchange, key):
            delta = scrubber.feed(_read(exchange, collected.add, chunk))
            if any(delta.values()):
                yield _part(delta)
        if not collected.ended:
            raise exchange.failure("cut", "the stream ended before the answer did")
    except ProviderError:
        yield from map(_part, scrubber.rest())
        raise
    yield from map(_part, scrubber.rest())
    answer = _read(exchange, lambda _: collected.answer(), None)
    yield _end(scrubbed(answer, key))


def _part(delta: dict[str, Any]) -> StreamPart:
    return StreamPart(delta.get("content") or "", None, delta)


def _end(answer: ChatAnswer) -> StreamPart:
    return StreamPart("", answer, {}, answer.finish_reason)


def _chunks(exchange: Exchange, key: str) -> Iterator[object]:
    """Every JSON object of the stream; a `[DONE]` in it is the last one, as None."""
    try:
        for data in event_data(exchange.pieces()):
            if data.strip() == END:
                yield None
                return
            yield _json(exchange, data, key)
    except LineTooLong as error:
        raise exchange.failure("too_large", "a line of the stream is too long") from error
    except UnicodeDecodeError as error:
        raise exchange.failure("malformed", f"the stream is not UTF-8: {error}") from error


def _whole(exchange: Exchange, request: ChatRequest, key: str) -> ChatAnswer:
    body = b"".join(exchange.pieces())
    if not body.strip():
        raise exchange.failure("malformed", "the answer is empty")
    completion = _json(exchange, body.decode("utf-8", "replace"), key)
    answer = _read(exchange, lambda content: whole_answer(content, request), completion)
    return scrubbed(answer, key)


def _json(exchange: Exchange, text: str, key: str) -> object:
    try:
        content: object = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        start = f"not JSON ({exchange.content_type or 'no type'}): {text[:200]}"
        raise exchange.failure("malformed", start) from error
    if isinstance(content, dict) and content.get("error"):
        raise event_failure(content["error"], secret=key)
    return content


def _read(exchange: Exchange, reader: Callable[[object], Read], content: object) -> Read:
    try:
        return reader(content)
    except Unreadable as error:
        raise exchange.failure("malformed", str(error)) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
