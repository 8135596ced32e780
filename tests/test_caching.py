"""Two processes, each with its own memory, and one mark in Redis between them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.caching import LONGEST_SECONDS, SharedCache
from portal.job_queue import connect_redis
from tests.peers import RedisServer

pytestmark = pytest.mark.engine_independent


class Source:
    """A value that can change, and how often it was read."""

    def __init__(self) -> None:
        self.value, self.reads = 1, 0

    def load(self) -> int:
        self.reads += 1
        return self.value


@pytest.fixture
def process(redis_server: RedisServer) -> Callable[[], SharedCache]:
    """Another process's cache on the same Redis."""
    redis_server.flushall()
    return lambda: SharedCache(connect_redis(redis_server.url))


def test_what_was_read_is_kept(process: Callable[[], SharedCache]) -> None:
    cache, source = process(), Source()
    assert [cache.get("key", source.load) for _ in range(3)] == [1, 1, 1]
    assert source.reads == 1


def test_a_change_in_one_process_is_seen_in_the_other_at_once(
    process: Callable[[], SharedCache],
) -> None:
    writer, reader, source = process(), process(), Source()
    assert reader.get("key", source.load) == 1
    source.value = 2
    writer.forget()
    assert reader.get("key", source.load) == 2


def test_a_value_read_before_a_change_is_not_kept_after_it(
    process: Callable[[], SharedCache],
) -> None:
    writer, reader, source = process(), process(), Source()

    def overtaken() -> int:
        value = source.load()
        source.value = 2
        writer.forget()
        return value

    assert reader.get("key", overtaken) == 1
    assert reader.get("key", source.load) == 2


def test_without_redis_nothing_is_kept(redis_server: RedisServer) -> None:
    cache, source = SharedCache(None), Source()
    assert [cache.get("key", source.load) for _ in range(2)] == [1, 1]
    assert source.reads == 2


def test_redis_that_forgot_everything_forgets_for_all(
    process: Callable[[], SharedCache], redis_server: RedisServer
) -> None:
    reader, source = process(), Source()
    reader.get("key", source.load)
    source.value = 2
    redis_server.flushall()
    assert reader.get("key", source.load) == 2


def test_a_change_while_redis_is_away_is_told_when_it_is_back(redis_server: RedisServer) -> None:
    writer = SharedCache(connect_redis(redis_server.url))
    reader, source = SharedCache(connect_redis(redis_server.url)), Source()
    reader.get("key", source.load)
    redis_server.kill()
    source.value = 2
    writer.forget()
    redis_server.start()
    writer.get("other", source.load)
    assert reader.get("key", source.load) == 2


def test_what_nobody_told_of_is_believed_for_seconds_only(
    process: Callable[[], SharedCache],
) -> None:
    reader, source = process(), Source()
    reader.get("key", source.load)
    source.value = 2
    reader._since -= LONGEST_SECONDS + 1
    assert reader.get("key", source.load) == 2
