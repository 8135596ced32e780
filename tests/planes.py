"""The applications under test: real tables on the run's engine, real Redis, and the real outside.

Everything is built once for each test process; each test begins with empty tables and no keys.
"""

from __future__ import annotations

import base64
import secrets
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from portal import caching, schema
from portal.app import (
    create_admin_app,
    create_api_app,
    create_internal_app,
    create_serving_app,
    create_worker_app,
)
from portal.database import db, declare_writes, utc_now, writing
from portal.dispatching import Dispatcher
from portal.dns.local_server import LocalNameServer
from portal.job_queue import perform, rings_due
from portal.limits.advances import Advances
from portal.llm_providers.demo_server import DemoProviderServer
from portal.local_services import TSIG_KEY_NAME
from portal.settings import Settings
from portal.tls.local_edge import LocalEdge
from tests.peers import RedisServer

WEB_USER, WEB_RIGHTS = "portal_web", Path("deploy") / "web_database_user.sql"
LOOPBACK = "127.0.0.1"
MEMORY = Path("/dev/shm")  # noqa: S108 - the tests' own folder is made in it
BY_THEMSELVES = ("history_", "audit_log.", "notifications.begin_rounds", "notifications.make_round")


@dataclass(frozen=True)
class Planes:
    """The four planes and the worker, over one database."""

    admin: Flask
    serving: Flask
    internal: Flask
    api: Flask
    worker: Flask
    settings: Settings


def free_ports(count: int) -> list[int]:
    """Ports that were free for both TCP and UDP a moment ago."""
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((LOOPBACK, 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind((LOOPBACK, port))
            except OSError:
                continue
            found.append(port)
    return found


@pytest.fixture(scope="session")
def database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An empty database of the engine that this run tests; in memory where there is such a disk."""
    if request.config.getoption("--database") == "postgresql":
        yield str(request.getfixturevalue("postgres_url"))
        return
    if not MEMORY.is_dir():
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'portal.sqlite3'}"
        return
    with tempfile.TemporaryDirectory(prefix="portal-tests-", dir=MEMORY) as folder:
        yield f"sqlite:///{folder}/portal.sqlite3"


@pytest.fixture(scope="session")
def settings(
    database_url: str, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """The local environment on ports of its own."""
    port, internal, edge, dns, demo = free_ports(5)
    return Settings(
        platform_domain=f"localhost:{port}",
        api_domain=f"api.localhost:{port}",
        port=port,
        internal_port=internal,
        edge_port=edge,
        dns_port=dns,
        demo_port=demo,
        data_dir=tmp_path_factory.mktemp("data"),
        database_url=database_url,
        redis_url=redis_server.url,
        secret_key=secrets.token_hex(32),
        encryption_keys=(Fernet.generate_key().decode(),),
        internal_token=secrets.token_hex(16),
        tsig_secret=base64.b64encode(secrets.token_bytes(32)).decode(),
    )


def url_of_the_web(engine: Engine, settings: Settings) -> str:
    """On PostgreSQL of a user who may change no table, with the rights that deploy/ gives."""
    if engine.dialect.name != "postgresql":
        return settings.database_url
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        with suppress(ProgrammingError, IntegrityError):  # another process of the tests made it
            connection.execute(text(f"CREATE ROLE {WEB_USER} LOGIN"))
        connection.execute(text(WEB_RIGHTS.read_text()))
    url = engine.url.set(username=WEB_USER)
    return url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def built_planes(settings: Settings) -> Iterator[Planes]:
    """The applications, their tables made by the migrations."""
    worker = create_worker_app(settings)
    with worker.app_context():
        schema.upgrade(db.engine)
        of_the_web = replace(settings, database_url=url_of_the_web(db.engine, settings))
    planes = Planes(
        admin=create_admin_app(of_the_web),
        serving=create_serving_app(of_the_web),
        internal=create_internal_app(of_the_web),
        api=create_api_app(of_the_web),
        worker=worker,
        settings=settings,
    )
    yield planes
    for app in (planes.admin, planes.serving, planes.internal, planes.api, planes.worker):
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def planes(built_planes: Planes, redis_server: RedisServer) -> Iterator[Planes]:
    """The applications over empty tables, with nothing reserved beforehand."""
    redis_server.flushall()
    declare_writes(False)  # a test that only looks keeps nobody from writing, whatever ran before
    for app in (built_planes.admin, built_planes.serving):
        app.extensions["portal_recorder"].advances = Advances()
    yield built_planes
    with built_planes.worker.app_context():
        empty_tables()


def empty_tables() -> None:
    """Delete every row, whatever hangs on it; only from tables that have some, which is quick."""
    engine = db.engine
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            _empty_on_postgresql(connection, (*_tables(), "request_search"))
        return
    with closing(engine.raw_connection()) as raw:  # without a transaction that would be begun
        _empty_on_sqlite(raw.dbapi_connection)


@cache
def _tables() -> tuple[str, ...]:
    return tuple(table.name for table in db.metadata.sorted_tables)


def _empty_on_sqlite(raw: Any) -> None:
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("BEGIN IMMEDIATE")
    filled = [row[0] for row in raw.execute(_filled(_tables()))]
    if raw.execute("SELECT 1 FROM request_search_data WHERE id > 10").fetchone():
        raw.execute("INSERT INTO request_search (request_search) VALUES ('delete-all')")
    for name in filled:
        raw.execute(f'DELETE FROM "{name}"')  # noqa: S608 - our own table names
    raw.execute("COMMIT")
    raw.execute("PRAGMA foreign_keys = ON")


@cache
def _filled(names: tuple[str, ...]) -> str:
    """The query of those tables that have a row."""
    parts = (f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in names)  # noqa: S608
    return " UNION ALL ".join(parts)


_emptied = count(1)
TRUNCATED_EVERY = 50  # by then deleted rows begin to cost more than what TRUNCATE takes


def _empty_on_postgresql(connection: Connection, names: tuple[str, ...]) -> None:
    """As TRUNCATE … RESTART IDENTITY does, mostly in a tenth of its time."""
    if next(_emptied) % TRUNCATED_EVERY == 0:
        listed = ", ".join(f'"{name}"' for name in names)
        connection.execute(text(f"TRUNCATE {listed} RESTART IDENTITY CASCADE"))
    else:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no foreign keys
        for name in connection.scalars(text(_filled(names))).all():
            connection.execute(text(f'DELETE FROM "{name}"'))  # noqa: S608 - our own table names
        anew = "SELECT setval(seqrelid, 1, false) FROM pg_sequence"
        connection.execute(text(f"{anew} WHERE pg_sequence_last_value(seqrelid) IS NOT NULL"))
    connection.commit()


@pytest.fixture
def database(planes: Planes) -> Iterator[None]:
    """An application context for tests of verbs and queries."""
    with planes.worker.app_context():
        caching.cache().forget()
        yield
        db.session.rollback()


class Outside:
    """The embedded name server, TLS edge and demo provider, with the internal plane behind them."""

    def __init__(self, planes: Planes, store: Path) -> None:
        settings = planes.settings
        self.internal: BaseWSGIServer = make_server(
            LOOPBACK, settings.internal_port, planes.internal, threaded=True
        )
        self.name_server = LocalNameServer(
            (settings.base_api_domain,),
            LOOPBACK,
            settings.dns_port,
            store,
            TSIG_KEY_NAME,
            settings.tsig_secret,
        )
        self.edge = LocalEdge(
            LOOPBACK,
            settings.edge_port,
            (LOOPBACK, settings.port),
            f"http://{LOOPBACK}:{settings.internal_port}/internal/tls",
            settings.internal_token,
        )
        self.demo = DemoProviderServer(LOOPBACK, settings.demo_port, token_delay=0)

    def start(self) -> None:
        threading.Thread(target=self.internal.serve_forever, args=(0.05,), daemon=True).start()
        for service in (self.name_server, self.edge, self.demo):
            service.start()

    def stop(self) -> None:
        for service in (self.demo, self.edge, self.name_server):
            service.stop()
        self.internal.shutdown()
        self.internal.server_close()


@pytest.fixture(scope="session")
def outside(built_planes: Planes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """The real outside of the local environment, on loopback."""
    found = Outside(built_planes, tmp_path_factory.mktemp("dns") / "zone.json")
    found.start()
    yield found
    found.stop()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *arguments: Any) -> None:
        """The history tells what was asked."""


@pytest.fixture(scope="session")
def site(built_planes: Planes, outside: Outside) -> Iterator[str]:
    """All planes behind the public port, as on one machine; the platform's address."""
    planes, settings = built_planes, built_planes.settings
    dispatcher = Dispatcher(planes.admin, planes.serving, planes.internal, planes.api, settings)
    server = make_server(LOOPBACK, settings.port, dispatcher, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield settings.platform_url
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def run_jobs(planes: Planes, outside: Outside) -> Callable[..., int]:
    """Do what worker and clock would, in this process: every job that is due, until none is.

    How many that were, without those that look after what is kept or come again by themselves.
    """

    def run(most: int = 50, *, later: timedelta = timedelta(0)) -> int:
        done = 0
        with writing(), planes.worker.app_context():
            while done < most:
                rings = list(rings_due(utc_now() + later))
                db.session.rollback()
                for ring in rings:
                    perform(ring.name, *ring.arguments)
                    done += not ring.name.startswith(BY_THEMSELVES)
                if not rings or later:
                    break
        return done

    return run
