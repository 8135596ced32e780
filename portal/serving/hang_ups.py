"""Visitors who leave: their connection is looked at while a provider is waited for.

A web server tells that a visitor is gone only when it writes to him, which may be a minute too late
for a provider that thinks, and is paid, all the while.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable

from gevent.monkey import get_original

LOOK_EVERY_SECONDS = 0.5
# A web server that waits in one loop replaces `select.poll` by its own, which knows no hang-ups; we
# ask without waiting, so the system's is right in both.
_poll: Callable[[], select.poll] = get_original("select", "poll")
# Not every system has it; elsewhere a hang-up is noticed by the error flags, or when writing.
_PEER_CLOSED = getattr(select, "POLLRDHUP", 0)
_GONE = _PEER_CLOSED | select.POLLHUP | select.POLLERR | select.POLLNVAL


class HangUp:
    """Whether the visitor of one request has left; `on_gone` is called once, from any thread.

    `connection` is the visitor's, where the web server tells it; without one nobody looks.
    """

    def __init__(self, connection: socket.socket | None = None) -> None:
        self._connection = connection
        self._gone = threading.Event()
        self._lock = threading.Lock()
        self._action: Callable[[], None] | None = None

    @property
    def gone(self) -> bool:
        return self._gone.is_set()

    def on_gone(self, action: Callable[[], None] | None) -> None:
        """What to do when the visitor leaves: at once, if that has happened."""
        with self._lock:
            self._action = action
        if action is not None and self.gone:
            action()

    def begin(self) -> None:
        """Look at the connection from now on."""
        if self._connection is not None:
            WATCH.add(self._connection, self)

    def end(self) -> None:
        """The answer has ended: whatever becomes of the connection is another request's."""
        if self._connection is not None:
            WATCH.remove(self)

    def leave(self) -> None:
        """The visitor is gone."""
        with self._lock:
            self._gone.set()
            action = self._action
        if action is not None:
            action()

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until the visitor leaves; whether he has."""
        return self._gone.wait(seconds)


class Watch:
    """One thread of a process looks at all connections that wait; it ends when there are none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, tuple[socket.socket, HangUp]] = {}
        self._thread: threading.Thread | None = None

    def add(self, connection: socket.socket, hang_up: HangUp) -> None:
        """Look at a visitor's connection from now on."""
        with self._lock:
            self._watched[id(hang_up)] = (connection, hang_up)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._look, name="hang-ups", daemon=True)
                self._thread.start()

    def remove(self, hang_up: HangUp) -> None:
        """The answer has ended."""
        with self._lock:
            self._watched.pop(id(hang_up), None)

    def _look(self) -> None:
        idle = 0
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            with self._lock:
                watched = list(self._watched.values())
                idle = 0 if watched else idle + 1
                if idle > 20:
                    self._thread = None
                    return
            for hang_up in _left(watched):
                self.remove(hang_up)
                hang_up.leave()


def _left(watched: list[tuple[socket.socket, HangUp]]) -> list[HangUp]:
    """Those whose other side has closed, asked without waiting."""
    poll, by_number = _poll(), {}
    for connection, hang_up in watched:
        number = connection.fileno()
        if number < 0:
            continue
        by_number[number] = hang_up
        poll.register(number, _PEER_CLOSED)
    if not by_number:
        return []
    return [by_number[number] for number, flags in poll.poll(0) if flags & _GONE]


WATCH = Watch()
