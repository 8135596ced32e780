"""Sealing everything anew with the first key: a few rows at a time, to be broken off at any moment.

Every column whose name begins with `sealed` holds sealed values, or nothing. Which key a value was
sealed with stands in it (sealing.py), so that there is nothing else to remember. Somebody who
stores another value meanwhile is not overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, select, update

from portal.database import db
from portal.vault.sealing import Sealer, SealError


@dataclass(frozen=True)
class Standing:
    """How many values of one column there are, and how many of an older key."""

    place: str
    total: int
    older: int


@dataclass
class Moved:
    """What came of some rows; `unopened` are those whose key is gone."""

    sealed: int = 0
    unopened: int = 0


def sealed_columns() -> list[Column[Any]]:
    """Of all tables, in a fixed order."""
    return [
        column
        for table in db.metadata.sorted_tables
        for column in table.columns
        if column.name.startswith("sealed")
    ]


def standing(connection: Connection, sealer: Sealer) -> list[Standing]:
    """Column by column."""
    found = []
    for column in sealed_columns():
        query = select(func.count(), func.count().filter(_is_older(column, sealer)))
        total, older = connection.execute(query.where(column != "")).one()
        found.append(Standing(str(column), total, older))
    return found


def is_wanted(connection: Connection, sealer: Sealer) -> bool:
    """Whether any value is of an older key. Nothing is asked while there is one key only."""
    if len(sealer.key_ids) < 2:
        return False
    queries = (
        select(column).where(column != "", _is_older(column, sealer)).limit(1)
        for column in sealed_columns()
    )
    return any(connection.execute(query).first() is not None for query in queries)


def seal_anew(connection: Connection, sealer: Sealer, most: int) -> Moved:
    """At most so many rows, in the running transaction."""
    moved = Moved()
    for column in sealed_columns():
        for row_id, sealed in older_values(connection, column, sealer, most):
            if moved.sealed >= most:
                return moved
            _seal_one(connection, column, sealer, row_id, sealed, moved)
    return moved


def _seal_one(
    connection: Connection,
    column: Column[Any],
    sealer: Sealer,
    row_id: int,
    sealed: str,
    moved: Moved,
) -> None:
    table = column.table
    try:
        anew = sealer.sealed_anew(sealed)
    except SealError:
        moved.unopened += 1
        return
    statement = update(table).where(table.c.id == row_id, column == sealed)  # type: ignore[arg-type]
    moved.sealed += connection.execute(statement.values({column: anew})).rowcount


def older_values(
    connection: Connection, column: Column[Any], sealer: Sealer, most: int = 500
) -> Iterator[tuple[int, str]]:
    """In portions by their number, past those that do not open."""
    last = 0
    while True:
        query = (
            select(column.table.c.id, column)
            .where(column.table.c.id > last, column != "", _is_older(column, sealer))
            .order_by(column.table.c.id)
            .limit(most)
        )
        rows = connection.execute(query).all()
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < most:
            return
        last = rows[-1][0]


def _is_older(column: Column[Any], sealer: Sealer) -> ColumnElement[bool]:
    return column.not_like(f"{sealer.key_ids[0]}.%")
