"""Two processes, each with its own memory, and one mark in Redis between them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from redis import Redis

from portal.caching import LONGEST_SECONDS, SharedCache
from portal.job_queue import connect_redis
from tests.peers import RedisServer

pytestmark = pytest.mark.engine_independent


class Source:
    """A value that can change, and how often it was read."""

    def __init__(self) -> None:
        self.value, self.reads, self.announced = 1, 0, 1

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


def gets(connection: Redis) -> int:
    """How often anybody asked for a key."""
    return int(connection.info("commandstats").get("cmdstat_get", {}).get("calls", 0))


def test_redis_tells_of_changes_so_nobody_asks(
    process: Callable[[], SharedCache], redis_server: RedisServer
) -> None:
    reader, source = process(), Source()
    reader.get("key", source.load)
    connection = connect_redis(redis_server.url)
    before = gets(connection)
    for _ in range(50):
        reader.get("key", source.load)
    assert gets(connection) - before <= 1


def test_a_connection_that_was_cut_is_no_reason_to_believe(
    process: Callable[[], SharedCache], redis_server: RedisServer
) -> None:
    writer, reader, source = process(), process(), Source()
    reader.get("key", source.load)
    connect_redis(redis_server.url).client_kill_filter(_type="normal", skipme=True)
    source.value = 2
    writer.forget()
    assert reader.get("key", source.load) == 2


def test_where_redis_cannot_tell_each_read_asks(redis_server: RedisServer) -> None:
    redis_server.flushall()
    old = Redis.from_url(redis_server.url, protocol=2)
    writer, reader, source = SharedCache(old), SharedCache(old), Source()
    assert reader.get("key", source.load) == 1
    assert reader.get("key", source.load) == 1
    assert source.reads == 1
    source.value = 2
    writer.forget()
    assert reader.get("key", source.load) == 2


def test_threads_never_keep_what_was_overtaken(process: Callable[[], SharedCache]) -> None:
    """Readers in eight threads, a writer that announces each value only once it is there."""
    writer, reader, source = process(), process(), Source()
    stale: list[tuple[int, int]] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            least = source.announced
            found = reader.get("key", source.load)
            if found < least:
                stale.append((found, least))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for value in range(2, 200):
        source.value = value
        writer.forget()
        source.announced = value
    is_over.set()
    for thread in threads:
        thread.join()
    assert stale == []
