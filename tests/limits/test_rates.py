"""How often and how many at once: the same promises in a process's memory and in Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import pytest
import redis

from portal.limits.rates import (
    ENTRY_SECONDS,
    PREFIX,
    Ceiling,
    Denied,
    Limiter,
    LocalLimiter,
    Rate,
    RateLimiter,
    SharedLimiter,
)
from tests.peers import RedisServer

# About memory and Redis, whatever the database.
pytestmark = pytest.mark.engine_independent

FOUR = Rate("visitor", 4)
TWO_AT_ONCE = Ceiling("client", 2)


class Limited(Protocol):
    """A limiter, and a way to let time pass for it."""

    limiter: RateLimiter

    def wait(self, seconds: float) -> None: ...


class InMemory:
    """With a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.limiter = LocalLimiter(clock=lambda: self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds


class InRedis:
    """By Redis's own clock; waiting puts everything that is noted into the past."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis = connection
        self.limiter = SharedLimiter(connection)

    def wait(self, seconds: float) -> None:
        for key in self._redis.keys(f"{PREFIX}*"):
            if self._redis.type(key) == b"string":
                self._redis.decrby(key, int(seconds * 1_000_000))
                continue
            for entry, _ in self._redis.zscan_iter(key):
                self._redis.zincrby(key, -seconds * 1_000_000, entry)


@pytest.fixture
def connection(redis_server: RedisServer) -> Iterator[redis.Redis]:
    redis_server.flushall()
    with redis.Redis.from_url(redis_server.url) as found:
        yield found


@pytest.fixture(params=["in memory", "in Redis"])
def limited(request: pytest.FixtureRequest) -> Limited:
    if request.param == "in memory":
        return InMemory()
    return InRedis(request.getfixturevalue("connection"))


def let_through(limiter: RateLimiter, rate: Rate, tries: int) -> int:
    """How many of so many prompts pass."""
    found = [limiter.admit([rate], [], f"e{number}") for number in range(tries)]
    return found.count(None)


def test_a_minutes_allowance_may_be_used_at_once(limited: Limited) -> None:
    assert let_through(limited.limiter, FOUR, 10) == 4


def test_the_next_one_waits_as_long_as_one_takes(limited: Limited) -> None:
    let_through(limited.limiter, FOUR, 4)
    denied = limited.limiter.admit([FOUR], [], "e")
    assert isinstance(denied, Denied)
    assert denied.by == FOUR
    assert 14 < denied.wait_seconds <= 15


def test_who_waits_so_long_is_let_through_once(limited: Limited) -> None:
    let_through(limited.limiter, FOUR, 4)
    limited.wait(14)
    assert let_through(limited.limiter, FOUR, 1) == 0
    limited.wait(1.1)
    assert let_through(limited.limiter, FOUR, 5) == 1


def test_after_a_minute_the_whole_allowance_is_back(limited: Limited) -> None:
    let_through(limited.limiter, FOUR, 9)
    limited.wait(60)
    assert let_through(limited.limiter, FOUR, 9) == 4
    limited.wait(3_600)
    assert let_through(limited.limiter, FOUR, 9) == 4, "idle hours are not saved up"


def test_who_goes_on_asking_gets_one_each_quarter_of_a_minute(limited: Limited) -> None:
    passed = 0
    for _ in range(60):
        passed += let_through(limited.limiter, FOUR, 3)
        limited.wait(1)
    assert passed == 4 + 3


def test_buckets_do_not_know_each_other(limited: Limited) -> None:
    let_through(limited.limiter, FOUR, 9)
    assert let_through(limited.limiter, Rate("another", 4), 9) == 4


def test_one_a_minute_is_one_a_minute(limited: Limited) -> None:
    assert let_through(limited.limiter, Rate("slow", 1), 3) == 1
    limited.wait(60.1)
    assert let_through(limited.limiter, Rate("slow", 1), 3) == 1


def test_a_large_rate_is_counted_exactly(limited: Limited) -> None:
    limiter, rate = limited.limiter, Rate("key", 100_000)
    assert let_through(limiter, rate, 500) == 500


def test_the_ceiling_counts_answers_under_way(limited: Limited) -> None:
    limiter = limited.limiter
    assert limiter.admit([], [TWO_AT_ONCE], "a") is None
    assert limiter.admit([], [TWO_AT_ONCE], "b") is None
    denied = limiter.admit([], [TWO_AT_ONCE], "c")
    assert isinstance(denied, Denied)
    assert denied.by == TWO_AT_ONCE
    assert denied.wait_seconds == 1
    limiter.release([TWO_AT_ONCE], "a")
    assert limiter.admit([], [TWO_AT_ONCE], "c") is None
    assert limiter.admit([], [TWO_AT_ONCE], "d") is not None


def test_releasing_what_was_never_counted_changes_nothing(limited: Limited) -> None:
    limiter = limited.limiter
    limiter.admit([], [TWO_AT_ONCE], "a")
    limiter.admit([], [TWO_AT_ONCE], "b")
    limiter.release([TWO_AT_ONCE], "nobody")
    limiter.release([TWO_AT_ONCE], "nobody")
    assert limiter.admit([], [TWO_AT_ONCE], "c") is not None


def test_one_denied_by_a_rate_counts_for_no_ceiling_and_no_other_rate(limited: Limited) -> None:
    limiter, other = limited.limiter, Rate("other", 1)
    let_through(limiter, FOUR, 4)
    for number in range(5):
        denied = limiter.admit([other, FOUR], [Ceiling("one", 1)], f"x{number}")
        assert denied is not None
        assert denied.by == FOUR
    assert limiter.admit([other], [Ceiling("one", 1)], "y") is None


def test_one_denied_by_a_ceiling_counts_for_no_rate(limited: Limited) -> None:
    limiter, full = limited.limiter, Ceiling("full", 1)
    limiter.admit([], [full], "a")
    for number in range(9):
        denied = limiter.admit([FOUR], [Ceiling("free", 1), full], f"x{number}")
        assert denied is not None
        assert denied.by == full
    assert let_through(limiter, FOUR, 9) == 4
    assert limiter.admit([], [Ceiling("free", 1)], "b") is None


def test_the_answer_of_a_killed_process_makes_room_after_half_an_hour(limited: Limited) -> None:
    limiter = limited.limiter
    limiter.admit([], [TWO_AT_ONCE], "killed")
    limiter.admit([], [TWO_AT_ONCE], "killed too")
    limited.wait(ENTRY_SECONDS - 5)
    assert limiter.admit([], [TWO_AT_ONCE], "a") is not None
    limited.wait(6)
    assert limiter.admit([], [TWO_AT_ONCE], "a") is None
    assert limiter.admit([], [TWO_AT_ONCE], "b") is None
    assert limiter.admit([], [TWO_AT_ONCE], "c") is not None


def test_of_many_threads_at_once_as_many_pass_as_may(limited: Limited) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = list(
            pool.map(
                lambda number: limited.limiter.admit(
                    [Rate("all", 50)], [Ceiling("most", 30)], f"e{number}"
                ),
                range(100),
            )
        )
    assert found.count(None) == 30


def test_two_limiters_over_one_redis_count_together(connection: redis.Redis) -> None:
    first, second = SharedLimiter(connection), SharedLimiter(connection)
    assert let_through(first, FOUR, 3) + let_through(second, FOUR, 9) == 4
    assert first.admit([], [TWO_AT_ONCE], "a") is None
    assert second.admit([], [TWO_AT_ONCE], "b") is None
    assert first.admit([], [TWO_AT_ONCE], "c") is not None
    first.release([TWO_AT_ONCE], "b")
    assert second.admit([], [TWO_AT_ONCE], "c") is None


def test_what_is_noted_in_redis_goes_by_itself(connection: redis.Redis) -> None:
    SharedLimiter(connection).admit([FOUR], [TWO_AT_ONCE], "a")
    lifetimes = [connection.ttl(key) for key in connection.keys(f"{PREFIX}*")]
    assert len(lifetimes) == 2
    assert all(0 < seconds <= ENTRY_SECONDS for seconds in lifetimes)


def test_without_redis_a_process_counts_for_itself() -> None:
    limiter = Limiter(None)
    assert let_through(limiter, FOUR, 9) == 4
    limiter.admit([], [TWO_AT_ONCE], "a")
    limiter.admit([], [TWO_AT_ONCE], "b")
    assert limiter.admit([], [TWO_AT_ONCE], "c") is not None


def test_when_redis_goes_the_process_goes_on_by_itself_and_returns_to_it(
    redis_server: RedisServer,
) -> None:
    redis_server.flushall()
    options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    with redis.Redis.from_url(redis_server.url, **options) as connection:
        limiter = Limiter(connection)
        assert let_through(limiter, FOUR, 3) == 3
        limiter.admit([], [TWO_AT_ONCE], "before")
        redis_server.kill()
        try:
            started = time.monotonic()
            assert let_through(limiter, FOUR, 9) == 4, "counted in this process from now on"
            limiter.release([TWO_AT_ONCE], "before")
            assert time.monotonic() - started < 2, "a Redis that has failed is not asked each time"
        finally:
            redis_server.start()
        connection.flushall()
        assert until_counted_in(connection, limiter)
        assert let_through(limiter, FOUR, 9) == 4
        assert let_through(SharedLimiter(connection), FOUR, 9) == 0


def test_an_answer_that_ended_without_redis_makes_room_when_redis_is_back(
    redis_server: RedisServer,
) -> None:
    redis_server.flushall()
    options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    with redis.Redis.from_url(redis_server.url, **options) as connection:
        limiter = Limiter(connection)
        limiter.admit([], [TWO_AT_ONCE], "a")
        limiter.admit([], [TWO_AT_ONCE], "b")
        time.sleep(1.1)  # Redis writes its file each second
        redis_server.kill()
        limiter.release([TWO_AT_ONCE], "a")
        redis_server.start()
        assert connection.zcard(f"{PREFIX}client") == 2, "Redis has kept both"
        assert until_counted_in(connection, limiter)
        assert connection.zcard(f"{PREFIX}client") == 1
        assert limiter.admit([], [TWO_AT_ONCE], "c") is None
        assert limiter.admit([], [TWO_AT_ONCE], "d") is not None


def until_counted_in(connection: redis.Redis, limiter: Limiter) -> bool:
    """Whether the limiter asks Redis again within a few seconds."""
    for number in range(60):
        limiter.admit([Rate(f"probe {number}", 4)], [], "probe")
        if connection.keys(f"{PREFIX}probe*"):
            return True
        time.sleep(0.1)
    return False
