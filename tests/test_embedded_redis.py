"""The queue's store of `make run`: ours alone, and nothing in it is lost by a kill."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import redis

from portal.embedded_redis import EmbeddedRedis, RedisMissing, find_redis_server
from tests.peers import RedisServer

pytestmark = pytest.mark.engine_independent


def test_what_was_written_survives_a_kill(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as connection:
        connection.set("kept", "yes")
    redis_server.kill()
    redis_server.start()
    with redis.Redis.from_url(redis_server.url) as connection:
        assert connection.get("kept") == b"yes"
    redis_server.flushall()
    with redis.Redis.from_url(redis_server.url) as connection:
        assert connection.get("kept") is None


def test_it_listens_on_a_socket_of_its_owner_only_and_on_no_port(redis_server: RedisServer) -> None:
    path = Path(redis_server.url.removeprefix("unix://"))
    assert path.stat().st_mode & 0o777 == 0o700
    with redis.Redis.from_url(redis_server.url) as connection:
        assert connection.config_get("port") == {"port": "0"}
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert connection.config_get("appendonly") == {"appendonly": "yes"}


def test_a_folder_too_deep_for_a_socket_gets_one_elsewhere(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / ("deep" * 30))
    assert len(str(server.socket)) < 100
    process = server.start(tmp_path / "log")
    assert server.answers()
    process.terminate()
    process.wait(10)
    assert not server.answers()


@pytest.mark.parametrize("name", ["with space", 'with "quotes"', "with\\backslash"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    server = EmbeddedRedis(tmp_path / name)
    process = server.start(tmp_path / "log")
    assert (tmp_path / name / "appendonly.aof").exists()
    process.terminate()
    process.wait(10)


def test_without_the_wheel_the_path_serves_and_without_both_a_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RedisMissing, match="set REDIS_URL"):
        find_redis_server()
    shutil.copy("/bin/true", tmp_path / "redis-server")
    assert find_redis_server() == str(tmp_path / "redis-server")
