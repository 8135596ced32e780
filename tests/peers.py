"""The real programs that tests talk to: Redis, PostgreSQL, Chromium, axe, Node with its packages.

Loaded as a pytest plugin by the root conftest. A peer that is not there skips its tests with the
reason, or fails them when PORTAL_TEST_REQUIRE (comma-separated) names it.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis
from psycopg import sql

from portal.embedded_redis import EmbeddedRedis, RedisMissing
from portal.quick_redis import QuickRedis
from tests.postgresql import PostgreSQLMissing, PostgreSQLServer

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
AXE_DEFAULT = Path(__file__).parent.parent / "node_modules" / "axe-core" / "axe.min.js"
COMPONENT = Path(__file__).parent / "component"
CERTIFIED_PROVIDER = Path(__file__).parent / "certified_provider"
POSTGRESQL_VARIABLE = "PORTAL_TEST_POSTGRESQL"  # how xdist's controller tells its workers
MISSING_VARIABLE = "PORTAL_TEST_POSTGRESQL_MISSING"

_server = pytest.StashKey[PostgreSQLServer]()


def missing(peer: str, reason: str) -> NoReturn:
    """Skip, or fail where this peer is required."""
    if peer in os.environ.get("PORTAL_TEST_REQUIRE", "").split(","):
        pytest.fail(f"{peer} is required here: {reason}", pytrace=False)
    pytest.skip(f"{peer}: {reason}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """--database, the engine that the whole run uses; --part, what takes its time or the rest."""
    parser.addoption("--part", choices=("all", "short", "long"), default="all", help="which tests")
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="the engine that the whole run uses",
    )


def pytest_configure(config: pytest.Config) -> None:
    """One PostgreSQL server for the run, started by xdist's controller before its threads."""
    if hasattr(config, "workerinput") or config.getoption("--database") != "postgresql":
        return
    os.environ.pop(MISSING_VARIABLE, None)
    try:
        server = PostgreSQLServer()
    except PostgreSQLMissing as error:
        os.environ[MISSING_VARIABLE] = str(error)
        return
    config.stash[_server] = server
    os.environ[POSTGRESQL_VARIABLE] = str(server.host)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The server ends with the run."""
    server = config.stash.get(_server, None)
    if server is not None:
        server.stop()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The short part does not even import the folders of which it takes nothing."""
    is_left_out = config.getoption("--part") == "short" and collection_path.name in LONG
    return True if is_left_out and collection_path.is_dir() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL leave out what touches no database; on SQLite what asks for PostgreSQL."""
    if config.getoption("--database") == "postgresql":
        left_out = [item for item in items if item.get_closest_marker("engine_independent")]
    else:
        left_out = [item for item in items if "postgres_url" in getattr(item, "fixturenames", ())]
    part = config.getoption("--part")
    if part != "all":
        left_out += [item for item in items if is_long(item) != (part == "long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    items[:] = _long_ones_first(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported stays: looking through it for garbage takes a tenth of a run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


# What waits for browsers, processes and time-outs: begun first, so that nobody waits for it alone.
LONG = ("browser", "faults", "kill", "stack")


def is_long(item: pytest.Item) -> bool:
    """Whether it is of the part that takes its time: by its folder, or by its mark."""
    return item.path.parent.name in LONG or item.get_closest_marker("long") is not None


def _long_ones_first(items: list[pytest.Item], workers: int) -> list[pytest.Item]:
    """Each process's share of the run begins with some of the long files, whole."""
    by_file: dict[Path, list[pytest.Item]] = {}
    short = []
    for item in items:
        if is_long(item):
            by_file.setdefault(item.path, []).append(item)
        else:
            short.append(item)
    files, size = list(by_file.values()), -(-len(short) // workers)
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        ordered += [item for file in files[worker::workers] for item in file]
        ordered += short[worker * size : (worker + 1) * size]
    return ordered


def pytest_runtest_setup(item: pytest.Item) -> None:
    """The PostgreSQL half without PostgreSQL is skipped whole, and counted."""
    if MISSING_VARIABLE in os.environ and item.config.getoption("--database") == "postgresql":
        missing("postgresql", os.environ[MISSING_VARIABLE])


class RedisServer:
    """A redis-server of this test process alone; killed and started again it keeps its keys."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedRedis(folder)
        self._log = folder / "redis.log"
        self.url = self._server.url
        self._kept = QuickRedis(redis.Redis.from_url(self.url))
        self.start()

    def start(self) -> None:
        """Start, and return when it answers."""
        self._server.folder.mkdir(parents=True, exist_ok=True)
        self.process = self._server.start(self._log)

    def kill(self) -> None:
        """SIGKILL: what is not in the append-only file is gone."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> None:
        """End it if it runs."""
        self.process.terminate()
        self.process.wait(10)

    def flushall(self) -> None:
        """Forget every key, as a machine without our data would; on a kept connection."""
        self._kept.call("FLUSHALL")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real Redis on a Unix socket, one for each xdist worker."""
    with tempfile.TemporaryDirectory(prefix="portal-redis-") as folder:
        try:
            server = RedisServer(Path(folder))
        except RedisMissing as error:
            missing("redis", str(error))
        yield server
        server.stop()


@pytest.fixture(scope="session")
def postgres_url(worker_id: str) -> str:
    """SQLAlchemy's URL of an empty database of this xdist worker, on the run's one server."""
    folder = os.environ.get(POSTGRESQL_VARIABLE)
    if not folder:
        missing("postgresql", "this run uses SQLite; pytest --database=postgresql")
    name = f"portal_{worker_id}"
    with psycopg.connect(host=folder, user="postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"postgresql+psycopg://postgres@/{name}?host={folder}"


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser's program."""
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        if found:
            return found
    missing("browser", "no chromium on the PATH (Debian: apt install chromium)")


@pytest.fixture(scope="session")
def axe_source() -> str:
    """axe-core's script, to be evaluated in a page through the debugging channel."""
    path = Path(os.environ.get("AXE_PATH", AXE_DEFAULT))
    if not path.exists():
        missing("browser", "no axe-core; AXE_PATH names its axe.min.js (.ci/run fetches it)")
    return path.read_text()


@pytest.fixture(scope="session")
def npm_packages() -> Path:
    """The folder of what tests/component/package.json names, installed; Node is there as well."""
    return _installed(COMPONENT)


def _installed(package: Path) -> Path:
    folder = package / "node_modules"
    if shutil.which("node") is None:
        missing("npm", "no node on the PATH (Debian: apt install nodejs npm)")
    wanted = json.loads((package / "package.json").read_text())["dependencies"]
    for name, version in wanted.items():
        manifest = folder / name / "package.json"
        there = json.loads(manifest.read_text())["version"] if manifest.exists() else "none"
        if there != version:
            missing("npm", f"{name} {version} is wanted, {there} is there (.ci/run installs it)")
    return folder


@pytest.fixture(scope="session")
def certified_provider() -> Path:
    """The script of an OpenID provider that is none of ours, with all that it needs installed."""
    _installed(CERTIFIED_PROVIDER)
    return CERTIFIED_PROVIDER / "provider.mjs"
