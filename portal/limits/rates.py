"""How often and how many at once: counted in Redis for all processes, else in this one.

A rate is held by the generic cell rate algorithm (ITU-T I.371, as a virtual schedule): a bucket has
one time, and a minute's allowance may be used at once. These limits only slow callers down, so they
stay open where Redis is away; what protects money is in `reserving.py`.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from redis import Redis, RedisError
from redis.exceptions import NoScriptError

from portal.quick_redis import Command, QuickRedis

log = logging.getLogger(__name__)

MINUTE = 60.0
ENTRY_SECONDS = 1_800  # an answer of a killed process counts no longer than this
MOST_BUCKETS = 50_000
PAUSE_SECONDS = 2.0  # without asking a Redis that has just failed
TOLD_AFTER_SECONDS = 0.02
MOST_TOLD = 200


@dataclass(frozen=True)
class Rate:
    """So many prompts a minute in one bucket, at least 1."""

    bucket: str
    per_minute: int


@dataclass(frozen=True)
class Ceiling:
    """So many answers under way at the same time."""

    bucket: str
    most: int


@dataclass(frozen=True)
class Denied:
    """What stands in the way: a Rate with the seconds to wait, or a Ceiling."""

    by: Rate | Ceiling
    wait_seconds: float


Ended = tuple[Sequence[Ceiling], str]


class RateLimiter(Protocol):
    """Lets prompts through, or says what stands in their way. One denied counts nowhere."""

    def admit(
        self, rates: Sequence[Rate], ceilings: Sequence[Ceiling], entry: str
    ) -> Denied | None: ...

    def release(self, ceilings: Sequence[Ceiling], entry: str) -> None: ...


class LocalLimiter:
    """In the memory of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._times: dict[str, float] = {}
        self._entries: dict[str, dict[str, float]] = {}

    def admit(
        self, rates: Sequence[Rate], ceilings: Sequence[Ceiling], entry: str
    ) -> Denied | None:
        """Count a prompt in all buckets, or in none."""
        now = self._clock()
        with self._lock:
            denied = self._denied(rates, ceilings, now)
            if denied is not None:
                return denied
            for rate in rates:
                begun = max(now, self._times.get(rate.bucket, now))
                self._times[rate.bucket] = begun + MINUTE / rate.per_minute
            for ceiling in ceilings:
                self._entries.setdefault(ceiling.bucket, {})[entry] = now + ENTRY_SECONDS
            self._forget_old(now)
        return None

    def _denied(
        self, rates: Sequence[Rate], ceilings: Sequence[Ceiling], now: float
    ) -> Denied | None:
        for rate in rates:
            begun = max(now, self._times.get(rate.bucket, now))
            wait = begun - now - (MINUTE - MINUTE / rate.per_minute)
            if wait > 1e-6:
                return Denied(rate, wait)
        for ceiling in ceilings:
            entries = self._entries.get(ceiling.bucket, {})
            under_way = sum(1 for ends in entries.values() if ends > now)
            if under_way >= ceiling.most:
                return Denied(ceiling, 1.0)
        return None

    def _forget_old(self, now: float) -> None:
        if len(self._times) > MOST_BUCKETS:
            self._times = {name: at for name, at in self._times.items() if at > now}

    def release(self, ceilings: Sequence[Ceiling], entry: str) -> None:
        """An answer has ended."""
        with self._lock:
            for ceiling in ceilings:
                entries = self._entries.get(ceiling.bucket, {})
                entries.pop(entry, None)
                if not entries:
                    self._entries.pop(ceiling.bucket, None)


# KEYS: the rates' buckets, then the ceilings'. ARGV: how many rates, the microseconds between two
# prompts of each, the most of each ceiling, the entry, its lifetime in seconds. Answers the number
# (from 1) of the limit that denies and the microseconds to wait, or 0.
ADMIT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local rates = tonumber(ARGV[1])
local begun = {}
for i = 1, rates do
  local gap = tonumber(ARGV[1 + i])
  begun[i] = math.max(now, tonumber(redis.call('GET', KEYS[i]) or 0))
  local wait = begun[i] - now - (60000000 - gap)
  if wait > 0 then return {i, wait} end
end
for i = rates + 1, #KEYS do
  if redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[1 + i]) then
    redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
    if redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[1 + i]) then return {i, 1000000} end
  end
end
for i = 1, rates do
  redis.call('SET', KEYS[i], string.format('%d', begun[i] + tonumber(ARGV[1 + i])), 'EX', 61)
end
local lifetime = tonumber(ARGV[#ARGV])
for i = rates + 1, #KEYS do
  redis.call('ZADD', KEYS[i], now + lifetime * 1000000, ARGV[#ARGV - 1])
  redis.call('EXPIRE', KEYS[i], lifetime)
end
return {0, 0}
"""
ADMIT_DIGEST = hashlib.sha1(ADMIT.encode()).hexdigest()  # noqa: S324 - the name Redis gives it
PREFIX = "portal:limit:"


class SharedLimiter:
    """The same in Redis, one round trip; raises RedisError or OSError when that is away."""

    def __init__(self, connection: Redis) -> None:
        self._redis = QuickRedis(connection)

    def admit(
        self,
        rates: Sequence[Rate],
        ceilings: Sequence[Ceiling],
        entry: str,
        ended: Sequence[Ended] = (),
    ) -> Denied | None:
        """Count a prompt in all buckets, or in none; first forget the answers that have ended."""
        limits: list[Rate | Ceiling] = [*rates, *ceilings]
        gaps = [int(MINUTE * 1_000_000 / rate.per_minute) for rate in rates]
        keys = [PREFIX + limit.bucket for limit in limits]
        most = [ceiling.most for ceiling in ceilings]
        arguments = (len(keys), *keys, len(rates), *gaps, *most, entry, ENTRY_SECONDS)
        script = ("EVALSHA", ADMIT_DIGEST, *arguments)
        try:
            number, wait = self._redis.calls(*_removals(ended), script)[-1]
        except NoScriptError:
            number, wait = self._redis.call("EVAL", ADMIT, *arguments)
        return Denied(limits[number - 1], wait / 1_000_000) if number else None

    def release(self, ceilings: Sequence[Ceiling], entry: str) -> None:
        """An answer has ended."""
        self.forget([(ceilings, entry)])

    def forget(self, ended: Sequence[Ended]) -> None:
        """Some answers have ended."""
        self._redis.calls(*_removals(ended))


def _removals(ended: Sequence[Ended]) -> list[Command]:
    return [
        ("ZREM", PREFIX + ceiling.bucket, entry)
        for ceilings, entry in ended
        for ceiling in ceilings
    ]


class Limiter:
    """Asks Redis, and for a while the process's own memory when that has failed.

    What has ended is told to Redis with the next prompt, or by a thread 20 ms later, so nobody
    waits for it. What ends while Redis is away is told once it is back.
    """

    def __init__(self, connection: Redis | None) -> None:
        self._shared = SharedLimiter(connection) if connection is not None else None
        self._local = LocalLimiter()
        self._asks_again_at = 0.0
        self._ended: deque[Ended] = deque(maxlen=MOST_BUCKETS)
        self._something_ended = threading.Event()
        self._teller: threading.Thread | None = None
        self._lock = threading.Lock()

    def admit(
        self, rates: Sequence[Rate], ceilings: Sequence[Ceiling], entry: str
    ) -> Denied | None:
        """None lets the prompt through; then `release` has to follow."""
        if self._shared is not None and time.monotonic() >= self._asks_again_at:
            ended = self._taken()
            try:
                return self._shared.admit(rates, ceilings, entry, ended)
            except (RedisError, OSError) as error:
                self._pause(error, ended)
        return self._local.admit(rates, ceilings, entry)

    def release(self, ceilings: Sequence[Ceiling], entry: str) -> None:
        """An answer has ended, wherever it was counted."""
        self._local.release(ceilings, entry)
        if self._shared is not None:
            self._ended.append((ceilings, entry))
            self._something_ended.set()
            self._start_teller()

    def _taken(self) -> list[Ended]:
        """What has ended and is not told yet; whoever takes it tells it, or gives it back."""
        taken: list[Ended] = []
        try:
            while len(taken) < MOST_TOLD:
                taken.append(self._ended.popleft())
        except IndexError:
            pass
        return taken

    def _start_teller(self) -> None:
        if self._teller is not None and self._teller.is_alive():
            return
        with self._lock:
            if self._teller is None or not self._teller.is_alive():
                self._teller = threading.Thread(target=self._tell, name="limits", daemon=True)
                self._teller.start()

    def _tell(self) -> None:
        """Tell what no prompt came along to tell."""
        while True:
            self._something_ended.wait()
            time.sleep(max(TOLD_AFTER_SECONDS, self._asks_again_at - time.monotonic()))
            self._something_ended.clear()
            self._tell_all()

    def _tell_all(self) -> None:
        while self._shared is not None and (ended := self._taken()):
            try:
                self._shared.forget(ended)
            except (RedisError, OSError) as error:
                self._pause(error, ended)
                return

    def _pause(self, error: Exception, ended: Sequence[Ended]) -> None:
        log.warning("limits are counted in this process: %s", error)
        self._asks_again_at = time.monotonic() + PAUSE_SECONDS
        self._ended.extend(ended)
        if ended:
            self._something_ended.set()
