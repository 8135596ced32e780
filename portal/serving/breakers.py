"""Circuit breakers: a provider that fails again and again is left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MOST_FAILURES = 5
OPEN_SECONDS = 30.0
MOST_BREAKERS = 5_000


@dataclass
class _Breaker:
    failures: int = 0
    opened_at: float | None = None
    is_on_trial: bool = False


class Breakers:
    """One for each endpoint, in the memory of a process; it closes with the first good answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._breakers: dict[Hashable, _Breaker] = {}

    def seconds_to_wait(self, endpoint: Hashable) -> float:
        """0 lets one through; of those who come when the time is over, only the first is."""
        with self._lock:
            breaker = self._breakers.get(endpoint)
            if breaker is None or breaker.opened_at is None:
                return 0.0
            left = breaker.opened_at + OPEN_SECONDS - self._clock()
            if left <= 0 and not breaker.is_on_trial:
                breaker.is_on_trial = True
                return 0.0
            return max(left, 1.0)

    def failed(self, endpoint: Hashable) -> None:
        """It could not be reached, or had a fault of its own."""
        with self._lock:
            if len(self._breakers) >= MOST_BREAKERS:
                self._breakers.clear()
            breaker = self._breakers.setdefault(endpoint, _Breaker())
            breaker.failures += 1
            if breaker.is_on_trial or breaker.failures >= MOST_FAILURES:
                breaker.opened_at, breaker.is_on_trial = self._clock(), False

    def worked(self, endpoint: Hashable) -> None:
        """It answered, or what it refused was our own fault."""
        with self._lock:
            self._breakers.pop(endpoint, None)

    def undecided(self, endpoint: Hashable) -> None:
        """The visitor left before it could be told; the next one is on trial."""
        with self._lock:
            breaker = self._breakers.get(endpoint)
            if breaker is not None:
                breaker.is_on_trial = False
