"""One thread for a process that calls back when a time has come, if it was not called off."""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable


class Deadline:
    """A call that is due at `at` (monotonic seconds); `passed` tells that it was made."""

    def __init__(self, at: float, action: Callable[[], None]) -> None:
        self.at = at
        self.passed = False
        self._action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Call nothing any more."""
        self._action = None

    @property
    def is_cancelled(self) -> bool:
        """Whether there is nothing to call any more."""
        return self._action is None

    def come(self) -> None:
        """Make the call, once."""
        action, self._action = self._action, None
        if action is not None:
            self.passed = True
            action()


class Deadlines:
    """The watching thread starts with the first deadline, and again in a forked process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Deadline]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0

    def after(self, seconds: float, action: Callable[[], None]) -> Deadline:
        """Call `action` in `seconds` from now; it must be quick and raise nothing."""
        deadline = Deadline(time.monotonic() + seconds, action)
        with self._changed:
            self._forget_cancelled()
            heapq.heappush(self._waiting, (deadline.at, next(self._numbers), deadline))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            if deadline.at < self._wakes_at:  # else the thread would wake for nothing
                self._changed.notify()
        return deadline

    def _forget_cancelled(self) -> None:
        while self._waiting and self._waiting[0][2].is_cancelled:
            heapq.heappop(self._waiting)

    def _watch(self) -> None:
        while True:
            self._next_due().come()

    def _next_due(self) -> Deadline:
        with self._changed:
            while not self._waiting or self._waiting[0][0] > time.monotonic():
                self._wakes_at = self._waiting[0][0] if self._waiting else math.inf
                left = self._wakes_at - time.monotonic() if self._waiting else None
                self._changed.wait(left)
            return heapq.heappop(self._waiting)[2]


DEADLINES = Deadlines()
