"""The web server's worker: gevent's, which waits for no idle connection when it is stopped."""

from __future__ import annotations

from typing import Any

import gevent
from gunicorn.workers.ggevent import GeventWorker


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

    def handle_request(self, *arguments: Any) -> Any:
        """A request has come: the connection is not idle until its answer has ended."""
        self._idle.discard(gevent.getcurrent())
        return super().handle_request(*arguments)

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
