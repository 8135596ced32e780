"""Redis for what every prompt asks: the wire without the comfort around it, on kept connections.

Redis-py's own clients spend more processor time around a command than the command takes; here its
connections are used directly. One that went stale while idle is replaced once, in silence.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

MOST_IDLE = 64
Argument = str | bytes | int
Command = tuple[Argument, ...]


class QuickRedis:
    """Sends commands and reads their answers. Raises RedisError or OSError."""

    def __init__(self, connection: Redis) -> None:
        self._pool = connection.connection_pool
        self._lock = threading.Lock()
        self._idle: list[Any] = []
        self._process = os.getpid()

    def call(self, *command: Argument) -> Any:
        """One command."""
        return self.calls(command)[0]

    def calls(self, *commands: Command) -> list[Any]:
        """Some commands in one go; raises the first error among their answers."""
        packed = b"".join(packed_command(command) for command in commands)
        kept, is_kept = self._take()
        try:
            return self._exchanged(kept, packed, len(commands))
        except RedisConnectionError:
            if not is_kept:
                raise
        return self._exchanged(self._pool.make_connection(), packed, len(commands))

    def _exchanged(self, connection: Any, packed: bytes, count: int) -> list[Any]:
        try:
            connection.send_packed_command([packed], check_health=False)
            answers = [_answer(connection) for _ in range(count)]
        except BaseException:
            connection.disconnect()
            raise
        self._keep(connection)
        for answer in answers:
            if isinstance(answer, ResponseError):
                raise answer
        return answers

    def _take(self) -> tuple[Any, bool]:
        with self._lock:
            if self._process != os.getpid():  # a fork's: the parent reads from those
                self._idle, self._process = [], os.getpid()
            if self._idle:
                return self._idle.pop(), True
        return self._pool.make_connection(), False

    def _keep(self, connection: Any) -> None:
        with self._lock:
            if len(self._idle) < MOST_IDLE:
                self._idle.append(connection)
                return
        connection.disconnect()


class KeyWatch:
    """Knows without asking whether a key was changed since the last look: Redis says so itself.

    Client tracking in broadcast mode (Redis 6 and later, RESP3): a change of the key is on its way
    to this connection before whoever made it is answered, and it is asked only whether anything
    came. Not for several threads at once.
    """

    def __init__(self, connection: Redis, key: str) -> None:
        self._pool = connection.connection_pool
        self._key = key
        self._connection: Any = None
        self._process = 0

    @property
    def is_on(self) -> bool:
        """Whether Redis tells us of changes."""
        return self._connection is not None and self._process == os.getpid()

    def begin(self) -> None:
        """Ask to be told from now on. Raises RedisError (also where Redis cannot) or OSError."""
        connection = self._pool.make_connection()
        try:
            if int(connection.protocol) < 3:
                raise ResponseError("Redis tells of changes by RESP3 only")
            tracking = packed_command(("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", self._key))
            connection.send_packed_command([tracking], check_health=False)
            connection.read_response()
            connection._sock.settimeout(0.0)
        except BaseException:
            connection.disconnect()
            raise
        self._connection, self._process = connection, os.getpid()

    def is_untouched(self) -> bool:
        """False where the key was changed, or where the watch is lost; then begin again."""
        came = False
        while self.is_on:
            try:
                chunk = self._connection._sock.recv(4096)
            except BlockingIOError:
                return not came
            except (OSError, AttributeError):
                chunk = b""
            came = True
            if not chunk:
                self.end()
        return False

    def end(self) -> None:
        """Hang up."""
        if self.is_on:
            self._connection.disconnect()
        self._connection = None


def _answer(connection: Any) -> Any:
    """An error of one command must not leave the answers of others unread."""
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def packed_command(command: Sequence[Argument]) -> bytes:
    """A command in RESP, the protocol of Redis: an array of bulk strings."""
    parts = [b"*%d\r\n" % len(command)]
    for argument in command:
        text = argument if isinstance(argument, bytes) else str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(text), text))
    return b"".join(parts)
