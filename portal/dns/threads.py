"""A bounded number of threads that ask at the same time, shared by all questions of an object."""

import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class AskingThreads:
    """Started with the first question and again in a forked process, whose parent's are gone."""

    def __init__(self, most: int = 128) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._process = 0
        self._pool: ThreadPoolExecutor | None = None

    def each(
        self, asks: Iterable[Callable[[float], Result]], timeout: float, deadline: float
    ) -> tuple[Result, ...]:
        """Call each with the seconds it has: `timeout`, or what is left until `deadline`.

        Whoever gets his turn too late is called with 0 or less.
        """
        turns = [_turn(one, timeout, deadline) for one in asks]
        if len(turns) < 2:
            return tuple(turn() for turn in turns)
        pool = self._running()
        return tuple(future.result() for future in [pool.submit(turn) for turn in turns])

    def _running(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None or self._process != os.getpid():
                self._pool = ThreadPoolExecutor(self._most, thread_name_prefix="resolver")
                self._process = os.getpid()
            return self._pool


def _turn(ask: Callable[[float], Result], timeout: float, deadline: float) -> Callable[[], Result]:
    return lambda: ask(min(timeout, deadline - time.monotonic()))
