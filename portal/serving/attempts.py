"""Asking a model: again after a passing fault, and another model when the first one fails.

Nothing is repeated once a visitor has read the first word.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from portal.errors import AdapterError
from portal.llm_providers import ChatProvider, ChatRequest, ProviderError, StreamPart
from portal.llm_providers.failures import failure
from portal.serving.breakers import Breakers
from portal.serving.endpoints import Endpoint
from portal.serving.hang_ups import HangUp

MOST_REPETITIONS = 2
PAUSES = (0.25, 0.75)  # seconds, with up to half as much again
LONGEST_PAUSE = 5.0  # a provider that asks for more is not waited for
REPEATED = ("rate_limited", "unavailable", "unreachable")
ITS_OWN_FAULT = ("timeout", "unavailable", "unreachable")
SAID = ("content", "refusal", "tool_calls")
ChatProviders = Callable[[str, str, str], ChatProvider]


class Attempts:
    """Tries endpoints in their order. `tried` tells the history what failed on the way."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        chat_provider: ChatProviders,
        breakers: Breakers,
        hang_up: HangUp,
    ) -> None:
        self._endpoints = endpoints
        self._chat_provider = chat_provider
        self._breakers = breakers
        self._hang_up = hang_up
        self.endpoint = endpoints[0]
        self.was_asked = False
        self.tried: list[dict[str, Any]] = []

    def parts(self, request: ChatRequest, *, whole: bool) -> Generator[StreamPart, None, None]:
        """One answer; raises AdapterError when no endpoint gives one."""
        last: AdapterError | None = None
        for endpoint, repetition in self._order():
            if last is not None and not self._goes_on(last, endpoint, repetition):
                continue
            self.endpoint, begun = endpoint, False
            started = time.monotonic()
            try:
                for part in self._asked(endpoint, replace(request, model=endpoint.model), whole):
                    begun = True
                    yield part
                return
            except AdapterError as error:
                self._note(endpoint, error, started)
                if begun or self._hang_up.gone:
                    raise
                last = error
        if last is not None:
            raise last

    def _order(self) -> Iterator[tuple[Endpoint, int]]:
        for endpoint in self._endpoints:
            for repetition in range(1 + MOST_REPETITIONS):
                yield endpoint, repetition

    def _goes_on(self, error: AdapterError, endpoint: Endpoint, repetition: int) -> bool:
        """Whether this try makes sense after that error; waits before a repetition."""
        if self._hang_up.gone:
            return False
        if repetition == 0:
            return error.reason != "bad_request"
        if endpoint is not self.endpoint or error.reason not in REPEATED or error.permanent:
            return False
        pause = _pause(error, repetition)
        return pause <= LONGEST_PAUSE and not self._hang_up.wait(pause)

    def _asked(self, endpoint: Endpoint, request: ChatRequest, whole: bool) -> Iterator[StreamPart]:
        self._check(endpoint)
        self.was_asked = True
        try:
            stream = self._chat_provider(
                endpoint.provider, endpoint.base_url, endpoint.api_key
            ).stream(request, whole=whole)
            self._hang_up.on_gone(stream.close)
            try:
                yield from _said(stream)
            finally:
                self._hang_up.on_gone(None)
                stream.close()
        except AdapterError as error:
            self._judge(endpoint, error)
            raise
        except BaseException:
            self._breakers.undecided(endpoint.identity)
            raise
        self._breakers.worked(endpoint.identity)

    def _judge(self, endpoint: Endpoint, error: AdapterError) -> None:
        """What a failure says of the endpoint; nothing, when it was us who hung up."""
        if self._hang_up.gone:
            self._breakers.undecided(endpoint.identity)
        elif error.reason in ITS_OWN_FAULT:
            self._breakers.failed(endpoint.identity)
        else:
            self._breakers.worked(endpoint.identity)

    def _check(self, endpoint: Endpoint) -> None:
        if self._hang_up.gone:
            raise failure("cut", "The visitor left before it was asked.")
        if endpoint.problem:
            raise AdapterError(
                endpoint.problem, reason="refused", permanent=True, detail=endpoint.problem
            )
        wait = self._breakers.seconds_to_wait(endpoint.identity)
        if wait:
            seconds = int(wait + 0.999)
            raise failure(
                "unavailable",
                f"Not asked: it failed several times in a row. It is asked again in {seconds} s.",
                retry_after_seconds=max(seconds, int(LONGEST_PAUSE) + 1),
            )

    def _note(self, endpoint: Endpoint, error: AdapterError, started: float) -> None:
        self.tried.append(
            {
                "provider": endpoint.provider,
                "model": endpoint.model,
                "reason": error.reason,
                "detail": error.detail or error.public_message,
                "milliseconds": round((time.monotonic() - started) * 1000),
            }
        )


def _pause(error: AdapterError, repetition: int) -> float:
    """Seconds: what the provider asked for, else our own."""
    wanted = error.retry_after_seconds if isinstance(error, ProviderError) else None
    if wanted is not None:
        return wanted
    return PAUSES[repetition - 1] * random.uniform(1, 1.5)  # noqa: S311 - spreads load


def _said(stream: Iterator[StreamPart]) -> Iterator[StreamPart]:
    """The parts that say something; a stream that ends without its answer is cut."""
    is_answered = False
    for part in stream:
        is_answered = is_answered or part.answer is not None
        if part.answer is not None or any(part.delta.get(name) for name in SAID):
            yield part
    if not is_answered:
        raise failure("cut", "The stream ended without an answer.")
