"""A database with rows of an earlier version comes to this one with everything that was in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import Connection, Engine, MetaData, create_engine, func, select, text
from sqlalchemy.types import JSON, Boolean, DateTime, LargeBinary, Numeric, String

from portal import schema
from portal.database import prepare_engine
from tests.peers import POSTGRESQL_VARIABLE

BEFORE_THE_HISTORY_WAS_PARTED = "20261127_zone_editor_tests"
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
SESSION = "s" * 64
# What one row of the history must come with; 2048 numbers apart in one microsecond would be equal.
ASKED = {1: NOON, 2: NOON, 3: NOON + timedelta(microseconds=1), 2049: NOON + timedelta(hours=1)}


@pytest.fixture(scope="module")
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Engine]:
    """An empty database of the run's engine, of this file alone."""
    if request.config.getoption("--database") == "sqlite":
        found = create_engine(f"sqlite:///{tmp_path_factory.mktemp('older') / 'portal.sqlite3'}")
        prepare_engine(found)
        yield found
        found.dispose()
        return
    request.getfixturevalue("postgres_url")
    host, name = os.environ[POSTGRESQL_VARIABLE], f"older_{worker_id}"
    with psycopg.connect(host=host, user="postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    found = create_engine(f"postgresql+psycopg://postgres@/{name}?host={host}")
    yield found
    found.dispose()


def filler(column: Any) -> Any:
    """Something for a column that has to have a value and of which no test says which."""
    kinds = (Boolean, False), (DateTime, NOON), (JSON, {}), (LargeBinary, b""), (String, "")
    for kind, value in (*kinds, (Numeric, 0)):
        if isinstance(column.type, kind):
            return value
    return 0


class Older:
    """The tables as they were, and rows for them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tables = MetaData()
        self._tables.reflect(connection)

    def add(self, table: str, **values: Any) -> None:
        """A row; what is not said is as empty as it may be."""
        columns = self._tables.tables[table].columns
        wanted = [one for one in columns if not one.nullable and one.name not in ("id", *values)]
        row = {one.name: filler(one) for one in wanted} | values
        self._connection.execute(self._tables.tables[table].insert(), row)


def fill(connection: Connection) -> None:
    """A person with a client, a session of four requests, and a session that nobody used."""
    older = Older(connection)
    older.add("accounts", id=1, company_name="Birkenhof", timezone="Europe/Berlin", currency="EUR")
    older.add("users", id=1, username="alice", password_hash="x")  # noqa: S106 - no password
    older.add("user_profiles", id=1, user_id=1, account_id=1, role="admin")
    older.add(
        "llm_clients",
        id=1,
        account_id=1,
        user_profile_id=1,
        name="guide",
        hashed_id="a" * 20,
        default_max_tokens=100,
        dns_verification_status="Not Verified",
        tls_certificate_issuance_status="No Certificate",
    )
    for number, at in ASKED.items():
        older.add(
            "llm_client_requests",
            id=number,
            account_id=1,
            llm_client_id=1,
            created_at=at,
            session_key=SESSION,
            request_id=f"r{number}",
            status=502 if number == 3 else 200,
            tokens_in=10,
            tokens_out=number,
            cost_micros=5,
            request={"messages": [{"role": "user", "content": f"question {number}"}]},
            response={"answer": f"Grüß Gott {number} 👋"},
            question_preview=f"question {number}",
        )
    for key, count in ((SESSION, 4), ("t" * 64, 0)):
        older.add(
            "prompts", session_key=key, llm_client_id=1, request_count=count, note="keep this"
        )


@pytest.fixture(scope="module")
def upgraded(engine: Engine) -> Engine:
    """Filled as an earlier version would, then brought to this one."""
    command.upgrade(schema.configuration(engine), BEFORE_THE_HISTORY_WAS_PARTED)
    with engine.begin() as connection:
        fill(connection)
    schema.upgrade(engine)
    return engine


def rows(engine: Engine, table: str) -> list[Any]:
    tables = MetaData()
    tables.reflect(engine, only=[table])
    found = tables.tables[table]
    with engine.connect() as connection:
        return list(connection.execute(select(found).order_by(*found.primary_key.columns)))


def test_each_request_is_there_with_its_bodies_in_the_order_of_time(upgraded: Engine) -> None:
    requests, bodies = (
        rows(upgraded, "llm_client_requests"),
        rows(upgraded, "llm_client_request_bodies"),
    )
    assert [row.request_id for row in requests] == ["r1", "r2", "r3", "r2049"]
    assert [row.id for row in bodies] == [row.id for row in requests]
    for request, body in zip(requests, bodies, strict=True):
        number = request.request_id.removeprefix("r")
        assert body.request == {"messages": [{"role": "user", "content": f"question {number}"}]}
        assert body.response == {"answer": f"Grüß Gott {number} 👋"}
        assert request.question_preview == f"question {number}"
    assert {row.id for row in rows(upgraded, "requests_to_index")} == {row.id for row in requests}


def test_each_session_knows_what_it_came_to(upgraded: Engine) -> None:
    used, unused = sorted(rows(upgraded, "prompts"), key=lambda row: row.session_key)
    assert (used.account_id, used.request_count, used.error_count) == (1, 4, 1)
    assert (used.tokens, used.cost_micros) == (4 * 10 + sum(ASKED), 20)
    assert (unused.request_count, unused.tokens, unused.note) == (0, 0, "keep this")


def test_the_sums_are_to_be_counted_from_the_first_hour_to_the_last(upgraded: Engine) -> None:
    [rebuild] = rows(upgraded, "rollup_rebuilds")
    noon = int(NOON.timestamp()) // 3600
    assert (rebuild.first_hour, rebuild.last_hour, rebuild.next_hour) == (noon, noon + 1, noon)
    assert rebuild.finished_at is None
    assert rebuild.next_attempt_at is not None


def test_people_and_clients_are_who_they_were(upgraded: Engine) -> None:
    [user], [profile] = rows(upgraded, "users"), rows(upgraded, "user_profiles")
    assert (user.username, profile.role, profile.account_id) == ("alice", "admin", 1)
    [llm_client] = rows(upgraded, "llm_clients")
    assert (llm_client.name, llm_client.account_id) == ("guide", 1)


def test_what_is_added_afterwards_has_a_number_of_its_own(upgraded: Engine) -> None:
    """Sequences and counters go on behind what was moved."""
    tables = MetaData()
    tables.reflect(upgraded, only=["prompts"])
    with upgraded.begin() as connection:
        Older(connection).add("prompts", session_key="u" * 64, llm_client_id=1, account_id=1)
        count = select(func.count(text("DISTINCT id"))).select_from(tables.tables["prompts"])
        assert connection.scalar(count) == 3
