"""Statements for what every prompt writes: worked out once, then told to the driver as text.

SQLAlchemy looks up, checks and converts around a statement for longer than the database takes to
execute it. Here the text and the conversions of a statement's values are kept, and the driver's own
cursor is told. Transactions and errors are SQLAlchemy's as ever, but its events hear nothing; rows
are tuples, as the driver reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    any_,
    bindparam,
    func,
    select,
)
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError, StatementError

from portal.database import UTCDateTime

Values = Mapping[str, Any]
Process = Callable[[Any], Any]
SQLITE = "sqlite"


class _Prepared(NamedTuple):
    """`processes` are the conversions of some values, by their place."""

    text: str
    names: list[str]
    processes: list[tuple[int, Process]]
    is_positional: bool

    def parameters(self, rows: Sequence[Values]) -> list[Any]:
        """The values of each row, as the driver wants them."""
        get, found = itemgetter(*self.names), []
        is_alone = len(self.names) == 1
        for row in rows:
            values = [get(row)] if is_alone else list(get(row))
            for place, process in self.processes:
                values[place] = process(values[place])
            found.append(
                tuple(values) if self.is_positional else dict(zip(self.names, values, strict=True))
            )
        return found


class Quick:
    """A statement whose values have names; `columns` are those that an INSERT is given.

    Nothing is filled in: what a column should hold has to be told.
    """

    def __init__(
        self, statement: Callable[[str], Any] | Any, columns: Collection[str] | None = None
    ) -> None:
        self._statement = statement
        self._columns = None if columns is None else list(columns)

    def run(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Once for each row of values; there has to be one. Raises SQLAlchemyError."""
        self._execute(connection, rows)

    def rows(self, connection: Connection, values: Values) -> Sequence[tuple[Any, ...]]:
        """What it finds or returns. Raises SQLAlchemyError."""
        return self._execute(connection, [values])

    def _execute(self, connection: Connection, rows: Sequence[Values]) -> Sequence[tuple[Any, ...]]:
        dialect = connection.dialect
        prepared = _prepared(self, dialect)
        try:
            parameters = prepared.parameters(rows)
        except Exception as error:  # as SQLAlchemy does with what has no conversion
            raise StatementError(type(error).__name__, prepared.text, None, error) from error
        if not connection.in_transaction():
            connection.begin()
        raw = connection.connection
        cursor = raw.cursor()
        try:
            return _told(cursor, prepared.text, parameters)
        except dialect.loaded_dbapi.Error as error:
            if dialect.is_disconnect(error, raw, cursor):
                connection.invalidate(error)
            raise _as_sqlalchemys(dialect, prepared.text, error) from error
        finally:
            cursor.close()

    def prepared(self, dialect: Dialect) -> _Prepared:
        """For one kind of database."""
        made = self._statement
        statement = made(dialect.name) if callable(made) else made
        compiled = statement.compile(
            dialect=dialect, column_keys=self._columns, for_executemany=True
        )
        names = compiled.positiontup if dialect.positional else list(compiled.binds)
        processes = []
        for place, name in enumerate(names):
            kind = compiled.binds[name].type
            process = kind.dialect_impl(dialect).bind_processor(dialect)
            if isinstance(kind, UTCDateTime) and process is not None:
                process = lru_cache(maxsize=64)(process)  # a row has its moment in several columns
            if process is not None:
                processes.append((place, process))
        return _Prepared(str(compiled), names, processes, dialect.positional)


def _told(cursor: DBAPICursor, text: str, parameters: list[Any]) -> Sequence[tuple[Any, ...]]:
    if len(parameters) > 1:
        cursor.executemany(text, parameters)
    else:
        cursor.execute(text, parameters[0])
    return cursor.fetchall() if cursor.description else ()


def _as_sqlalchemys(dialect: Dialect, text: str, error: Exception) -> BaseException:
    """Without the values, which are what visitors said."""
    base = dialect.loaded_dbapi.Error
    return DBAPIError.instance(text, None, error, base, hide_parameters=True, dialect=dialect)


# A process has one database, tests have one after the other.
@lru_cache(maxsize=256)
def _prepared(quick: Quick, dialect: Dialect) -> _Prepared:
    return quick.prepared(dialect)


def among(column: Column[Any], name: str, dialect_name: str) -> ColumnElement[bool]:
    """Whether a column holds one of a list of values, which is one parameter however long it is."""
    if dialect_name == SQLITE:
        told = func.json_each(bindparam(name, type_=JSON)).table_valued("value")
        return column.in_(select(told.c.value))
    return column == any_(bindparam(name, type_=ARRAY(column.type)))
