"""What is read often and changed seldom, kept in each process and dropped in all of them at once.

The processes share one random mark in Redis. Whoever commits a change replaces the mark; whoever
reads compares it first, so an answer is never older than the last commit. Without Redis nothing is
kept: reads go to the database.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from flask import Flask, current_app
from redis import Redis, RedisError

from portal.database import after_commit
from portal.quick_redis import QuickRedis

log = logging.getLogger(__name__)

MARK = "portal:cache-mark"
MOST_ENTRIES = 20_000
# A process killed between its commit and the new mark leaves others unaware: no longer than this.
LONGEST_SECONDS = 10
T = TypeVar("T")


class SharedCache:
    """A dictionary per process, emptied when the mark in Redis is another one."""

    def __init__(self, connection: Redis | None) -> None:
        self._redis = QuickRedis(connection) if connection is not None else None
        self._lock = threading.Lock()
        self._mark: bytes | None = None
        self._entries: dict[Hashable, Any] = {}
        self._since = 0.0
        self._owes_a_change = False

    def get(self, key: Hashable, load: Callable[[], T]) -> T:
        """What `load` gave since the last change, else what it gives now."""
        mark = self._current_mark()
        if mark is None:
            return load()
        with self._lock:
            if mark != self._mark or time.monotonic() - self._since > LONGEST_SECONDS:
                self._entries, self._mark, self._since = {}, mark, time.monotonic()
            if key in self._entries:
                return self._entries[key]  # type: ignore[no-any-return]
        value = load()
        with self._lock:
            if self._mark == mark and len(self._entries) < MOST_ENTRIES:
                self._entries[key] = value
        return value

    def forget(self) -> None:
        """Replace the mark, so that every process reads anew; paid later if Redis is away."""
        self._drop()
        self._owes_a_change = True
        self._pay()

    def _pay(self) -> None:
        if self._redis is None:
            return
        try:
            self._redis.call("SET", MARK, secrets.token_bytes(12))
        except (RedisError, OSError) as error:
            log.warning("the cache mark could not be replaced: %s", error)
            return
        self._owes_a_change = False

    def _drop(self) -> None:
        with self._lock:
            self._entries, self._mark = {}, None

    def _current_mark(self) -> bytes | None:
        if self._redis is None:
            return None
        if self._owes_a_change:
            self._pay()
        if self._owes_a_change:
            return None
        try:
            mark: bytes | None = self._redis.call("GET", MARK)
            if mark is None:
                self._redis.call("SET", MARK, secrets.token_bytes(12), "NX")
                mark = self._redis.call("GET", MARK)
        except (RedisError, OSError):
            self._drop()
            return None
        return mark


def init_app(app: Flask, connection: Redis | None) -> None:
    app.extensions["portal_cache"] = SharedCache(connection)


def cache() -> SharedCache:
    shared: SharedCache = current_app.extensions["portal_cache"]
    return shared


def forget_after_commit() -> None:
    """To be called by whatever changes something that is cached."""
    after_commit(cache().forget)
