"""Bytes from one socket to another and back, in one thread, with bounded memory."""

import contextlib
import select
import socket
import ssl

PIECE = 64 * 1024
FULL = 256 * 1024
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def pump(client: ssl.SSLSocket, backend: socket.socket, idle: float) -> None:
    """Carry until the backend ends, the client breaks, or nothing moves for `idle` seconds."""
    client.setblocking(False)
    backend.setblocking(False)
    up, down = _Flow(client, backend), _Flow(backend, client)
    with contextlib.suppress(OSError):
        while not down.finished:
            while up.move() | down.move():
                pass
            if up.finished:
                up.end_target()
            if not down.finished and not _wait(up, down, idle):
                return
        client.unwrap()


class _Flow:
    """One direction: at most a quarter of a megabyte waits between reading and writing."""

    def __init__(self, source: socket.socket, target: socket.socket) -> None:
        self.source = source
        self.target = target
        self._waiting = bytearray()
        self._source_ended = False
        self._target_ended = False

    @property
    def finished(self) -> bool:
        return self._source_ended and not self._waiting

    @property
    def wants_to_read(self) -> bool:
        return not self._source_ended and len(self._waiting) < FULL

    @property
    def wants_to_write(self) -> bool:
        return bool(self._waiting)

    def move(self) -> bool:
        """Read and write what goes without waiting; whether anything went."""
        read = self.wants_to_read and self._read()
        written = self.wants_to_write and self._write()
        return read or written

    def end_target(self) -> None:
        """Tell the backend that the client will send no more."""
        if not self._target_ended:
            self._target_ended = True
            self.target.shutdown(socket.SHUT_WR)

    def _read(self) -> bool:
        try:
            piece = self.source.recv(PIECE)
        except WOULD_BLOCK:
            return False
        self._waiting += piece
        self._source_ended = not piece
        return True

    def _write(self) -> bool:
        try:
            sent = self.target.send(self._waiting)
        except WOULD_BLOCK:
            return False
        del self._waiting[:sent]
        return sent > 0


def _wait(up: _Flow, down: _Flow, idle: float) -> bool:
    poll = select.poll()
    for one, other in ((up, down), (down, up)):
        events = (select.POLLIN if one.wants_to_read else 0) | (
            select.POLLOUT if other.wants_to_write else 0
        )
        if events:
            poll.register(one.source, events)
    return bool(poll.poll(idle * 1000))
