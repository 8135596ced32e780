"""The web server's worker: gevent's, which waits for no idle connection when it is stopped.

It sends an answer's head together with the first part of its body.
"""

from __future__ import annotations

from typing import Any

import gevent
from gunicorn.workers.ggevent import GeventWorker


class OnePiece:
    """A connection for one answer: what is sent first waits for what is sent next.

    Gunicorn sends head and body apart, two ways through the network and two looks of the visitor's.
    Nothing waits longer than until something else is asked of the connection, or `flush`.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._head = b""
        self._has_begun = False

    def sendall(self, data: bytes) -> None:
        """Send, or keep what is the first."""
        if self._has_begun:
            head, self._head = self._head, b""
            self._connection.sendall(head + data if head else data)
        else:
            self._head, self._has_begun = data, True

    def flush(self) -> None:
        """Send what waits."""
        if self._head:
            self.sendall(b"")

    def __getattr__(self, name: str) -> Any:
        self.flush()
        return getattr(self._connection, name)


class PortalWebWorker(GeventWorker):  # type: ignore[misc]
    """Told to stop, it lets answers under way end and closes the connections that only wait.

    Gevent's own worker waits for kept-alive connections, too, until the graceful time is over.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._idle: set[gevent.Greenlet] = set()

    def timeout_ctx(self) -> Any:
        """Around the wait for a connection's next request."""
        self._idle.add(gevent.getcurrent())
        return super().timeout_ctx()

    def handle_request(self, listener: Any, request: Any, connection: Any, address: Any) -> Any:
        """A request has come: the connection is not idle until its answer has ended."""
        self._idle.discard(gevent.getcurrent())
        answered = OnePiece(connection)
        try:
            return super().handle_request(listener, request, answered, address)
        finally:
            answered.flush()

    def handle(self, *arguments: Any) -> None:
        """One connection, from its first request to its last."""
        try:
            super().handle(*arguments)
        finally:
            self._idle.discard(gevent.getcurrent())

    def notify(self) -> None:
        """The sign of life, once a second; the first one after a stop lets go of who waits."""
        super().notify()
        if not self.alive:
            gevent.killall(list(self._idle), block=False)
