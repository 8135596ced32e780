"""What was found is good for a short time."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")
MOST = 20_000


class ShortMemory(Generic[Value]):
    """Thread-safe. Two threads that miss at the same time both find out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, Value]] = {}

    def get(
        self, key: Hashable, find: Callable[[], Value], lifetime: Callable[[Value], float]
    ) -> Value:
        """The value of `key`, found again once its `lifetime` in seconds is over."""
        with self._lock:
            expires, value = self._kept.get(key, (0.0, None))
        if value is not None and expires > time.monotonic():
            return value
        value = find()
        with self._lock:
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[key] = (time.monotonic() + lifetime(value), value)
        return value
