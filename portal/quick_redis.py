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
