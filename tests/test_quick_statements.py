"""Statements that are worked out once do what SQLAlchemy's own do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Connection, MetaData, String, Table, select
from sqlalchemy.exc import IntegrityError, StatementError

from portal.database import BigId, Serialized, UTCDateTime, db
from portal.quick_statements import Quick, among
from portal.request_history.recording import UNWRITABLE
from tests.planes import Planes

THINGS = Table(
    "quick_things",
    MetaData(),
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("name", String(20)),
    Column("at", UTCDateTime),
    Column("is_good", Boolean),
    Column("said", JSON),
)
NAMES = [column.name for column in THINGS.columns]
INSERT = Quick(THINGS.insert(), NAMES)
AT = datetime(2026, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=2)))
ROWS: list[dict[str, Any]] = [
    {"id": 2**62, "name": "100% ?", "at": AT, "is_good": True, "said": {"a": [1, None]}},
    {"id": 2, "name": "", "at": AT.astimezone(UTC), "is_good": False, "said": None},
    {"id": 3, "name": None, "at": None, "is_good": None, "said": Serialized('{"b": 1}')},
]


@pytest.fixture
def connection(planes: Planes) -> Iterator[Connection]:
    """In a transaction that leaves nothing behind."""
    with planes.worker.app_context(), db.engine.connect() as found, found.begin() as transaction:
        THINGS.create(found)
        yield found
        transaction.rollback()


def as_stored(connection: Connection) -> list[tuple[Any, ...]]:
    """What the driver reads, past all conversions."""
    rows = connection.exec_driver_sql("SELECT * FROM quick_things ORDER BY id").all()
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_stored_is_the_same(connection: Connection, count: int) -> None:
    connection.execute(THINGS.insert(), ROWS[:count])
    expected = as_stored(connection)
    connection.execute(THINGS.delete())
    INSERT.run(connection, ROWS[:count])
    assert as_stored(connection) == expected
    assert len(expected) == count


def endless() -> list[Any]:
    """JSON that is deeper than anybody writes it."""
    found: list[Any] = []
    for _ in range(5000):
        found = [found]
    return found


@pytest.mark.parametrize(
    "spoilt",
    [{"at": datetime(2026, 1, 1)}, {"said": {1, 2}}, {"said": endless()}],  # noqa: DTZ001
)
def test_what_cannot_be_stored_is_an_error_that_the_recorder_knows(
    connection: Connection, spoilt: dict[str, Any]
) -> None:
    with pytest.raises(UNWRITABLE):
        INSERT.run(connection, [{**ROWS[1], **spoilt}])


def test_every_column_has_to_be_told(connection: Connection) -> None:
    with pytest.raises(StatementError):
        INSERT.run(connection, [{"id": 1}])


def test_what_the_database_refuses_is_the_same_error(connection: Connection) -> None:
    with connection.begin_nested() as inner:
        with pytest.raises(IntegrityError):
            INSERT.run(connection, [ROWS[0], ROWS[0]])
        inner.rollback()


def test_a_list_may_be_longer_than_parameters_are_allowed(connection: Connection) -> None:
    INSERT.run(connection, ROWS)
    found = Quick(lambda name: select(THINGS.c.id).where(among(THINGS.c.id, "wanted", name)))
    rows = found.rows(connection, {"wanted": [*range(3, 300_000), 2**62]})
    assert sorted(number for (number,) in rows) == [3, 2**62]
    assert found.rows(connection, {"wanted": []}) == []
    names = Quick(lambda name: select(THINGS.c.id).where(among(THINGS.c.name, "names", name)))
    assert list(names.rows(connection, {"names": ["100% ?", "é\\'"]})) == [(2**62,)]
