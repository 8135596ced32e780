"""What is read often and changed seldom, kept in each process and dropped in all of them at once.

The processes share one random mark in Redis. Whoever commits a change replaces the mark. Redis
tells every process so before it answers whoever replaced it, and who reads looks first whether it
has been told, so an answer is never older than the last commit. Where Redis cannot tell, each read
asks for the mark; where Redis is away nothing is kept: reads go to the database.
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
from redis.exceptions import ResponseError

from portal.database import after_commit
from portal.quick_redis import KeyWatch, QuickRedis

log = logging.getLogger(__name__)

MARK = "portal:cache-mark"
MOST_ENTRIES = 20_000
# A process killed between its commit and the new mark leaves others unaware: no longer than this.
LONGEST_SECONDS = 10
# A Redis that went away in silence is noticed as soon.
ASK_SECONDS = 0.5
T = TypeVar("T")


class SharedCache:
    """A dictionary per process, emptied when the mark in Redis is another one."""

    def __init__(self, connection: Redis | None) -> None:
        self._redis = QuickRedis(connection) if connection is not None else None
        self._watch = KeyWatch(connection, MARK) if connection is not None else None
        self._lock = threading.Lock()
        self._mark: bytes | None = None
        self._version = 0
        self._entries: dict[Hashable, Any] = {}
        self._since = 0.0
        self._asked_at = 0.0
        self._owes_a_change = False

    def get(self, key: Hashable, load: Callable[[], T]) -> T:
        """What `load` gave since the last change, else what it gives now."""
        version = self._current_version()
        if version is None:
            return load()
        with self._lock:
            if version == self._version and key in self._entries:
                return self._entries[key]  # type: ignore[no-any-return]
        value = load()
        with self._lock:
            self._look()
            if version == self._version and len(self._entries) < MOST_ENTRIES:
                self._entries[key] = value
        return value

    def _current_version(self) -> int | None:
        """The number of the present contents; None while nothing may be kept."""
        if self._redis is None or not self._paid():
            return None
        with self._lock:
            self._look()
            if self._is_told() and time.monotonic() - self._asked_at < ASK_SECONDS:
                return self._version
        return self._asked(self._redis)

    def _is_told(self) -> bool:
        return self._mark is not None and self._watch is not None and self._watch.is_on

    def _look(self) -> None:
        """With the lock held: empty what Redis has told of a change of, and what is too old."""
        is_touched = self._watch is not None and not self._watch.is_untouched()
        if is_touched or time.monotonic() - self._since > LONGEST_SECONDS:
            self._empty()

    def _empty(self) -> None:
        self._entries, self._mark, self._since = {}, None, time.monotonic()
        self._version += 1

    def _asked(self, redis: QuickRedis) -> int | None:
        """The version by the mark that Redis has now; None, and nothing kept, if it is away."""
        try:
            self._begin_watch()
            asked_at = time.monotonic()
            mark = redis.call("GET", MARK)
            if mark is None:
                redis.call("SET", MARK, secrets.token_bytes(12), "NX")
                mark = redis.call("GET", MARK)
        except (RedisError, OSError):
            self._drop()
            return None
        with self._lock:
            self._look()
            if mark != self._mark:
                self._empty()
                self._mark = mark
            self._asked_at = asked_at
            return self._version

    def _begin_watch(self) -> None:
        with self._lock:
            if self._watch is None or self._watch.is_on:
                return
            try:
                self._watch.begin()
            except ResponseError:  # it cannot tell: each read asks
                self._watch = None

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
            self._redis.call("PING")  # once this is answered, everybody has been told
        except (RedisError, OSError) as error:
            log.warning("the cache mark could not be replaced: %s", error)
            return
        self._owes_a_change = False

    def _paid(self) -> bool:
        if self._owes_a_change:
            self._pay()
        return not self._owes_a_change

    def _drop(self) -> None:
        with self._lock:
            self._empty()


def init_app(app: Flask, connection: Redis | None) -> None:
    app.extensions["portal_cache"] = SharedCache(connection)


def cache() -> SharedCache:
    shared: SharedCache = current_app.extensions["portal_cache"]
    return shared


def forget_after_commit() -> None:
    """To be called by whatever changes something that is cached."""
    after_commit(cache().forget)
