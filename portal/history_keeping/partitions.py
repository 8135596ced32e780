"""PostgreSQL's monthly partitions: made before their month begins, dropped when they are empty.

Rows of a month without one lie in the default partition, and move when theirs is made; where more
than a few lie there (tables from before there were partitions), they stay, since moving them would
keep everybody waiting. SQLite has no partitions, and nothing to do here.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, text

from portal.request_history import numbering

TABLES = ("llm_client_requests", "llm_client_request_bodies", "request_search")
MONTHS_AHEAD = 2
MOST_MOVED = 5_000


def look_after(connection: Connection, now: datetime) -> None:
    """Make what is missing, drop what is empty and over; waits 100 ms for a lock at most."""
    if connection.dialect.name != "postgresql":
        return
    connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
    for table in TABLES:
        there = _partitions(connection, table)
        for month in _months(now):
            if _name(table, month) not in there and _is_small(connection, table):
                _make(connection, table, month)
        for name in there:
            if name < _name(table, _month(now)) and not name.endswith("_rest"):
                _drop_if_empty(connection, name)


def _month(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, 1, tzinfo=UTC)


def _after(month: datetime) -> datetime:
    return datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)


def _months(now: datetime) -> list[datetime]:
    """This one, and the next two."""
    months = [_month(now.astimezone(UTC))]
    for _ in range(MONTHS_AHEAD):
        months.append(_after(months[-1]))
    return months


def _name(table: str, month: datetime) -> str:
    return f"{table}_{month:%Y%m}"


def _partitions(connection: Connection, table: str) -> list[str]:
    query = text(
        "SELECT child.relname FROM pg_inherits"
        " JOIN pg_class child ON child.oid = inhrelid"
        " JOIN pg_class parent ON parent.oid = inhparent WHERE parent.relname = :table"
    )
    return list(connection.scalars(query, {"table": table}))


def _is_small(connection: Connection, table: str) -> bool:
    query = f"SELECT count(*) FROM (SELECT 1 FROM {table}_rest LIMIT {MOST_MOVED + 1}) rest"  # noqa: S608
    return int(connection.scalar(text(query)) or 0) <= MOST_MOVED


def _make(connection: Connection, table: str, month: datetime) -> None:
    """In one transaction: a table like the others, with the rows that lie in the default one."""
    name, rest = _name(table, month), f"{table}_rest"
    first, last = numbering.first_of(month), numbering.first_of(_after(month))
    for statement in (
        f"LOCK TABLE {rest} IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)",
        f"WITH moved AS (DELETE FROM {rest} WHERE id >= {first} AND id < {last} RETURNING *)"  # noqa: S608
        f" INSERT INTO {name} SELECT * FROM moved",
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({last})",
    ):
        connection.execute(text(statement))


def _drop_if_empty(connection: Connection, name: str) -> None:
    """Retention and erasure take the rows; then the table goes, and its file with it."""
    if connection.scalar(text(f"SELECT 1 FROM {name} LIMIT 1")) is None:  # noqa: S608
        connection.execute(text(f"DROP TABLE {name}"))
