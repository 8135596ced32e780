"""What is in the tables now, to be written again when they were emptied: quicker than making it."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, select, text

from portal.database import UTCDateTime, db

Row = dict[str, Any]
STORED_TIME = "%Y-%m-%d %H:%M:%S.%f"  # as SQLAlchemy writes one for SQLite


class Rows:
    """Every row of every table, and when they were as old as they are."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._is_sqlite = db.engine.dialect.name == "sqlite"
        self._rows = {
            table: rows for table in db.metadata.sorted_tables if (rows := self._read(table))
        }

    def __bool__(self) -> bool:
        return bool(self._rows)

    def write_again(self, now: datetime) -> None:
        """As they would be if they had been made now; numbers go on behind theirs."""
        rows = {
            table: [_later(row, now - self._now) for row in rows]
            for table, rows in self._rows.items()
        }
        if self._is_sqlite:
            _write_to_sqlite(rows)
        else:
            _write_to_postgresql(rows)

    def _read(self, table: Table) -> list[Row]:
        """On SQLite as it stores them, but for the times: so they go back without SQLAlchemy."""
        with db.engine.connect() as connection:
            if not self._is_sqlite:
                return [dict(row) for row in connection.execute(select(table)).mappings()]
            found = connection.exec_driver_sql(f'SELECT * FROM "{table.name}"').mappings()  # noqa: S608
            return [
                {name: _time_of(table, name, value) for name, value in row.items()} for row in found
            ]


def _time_of(table: Table, name: str, value: Any) -> Any:
    is_time = value is not None and isinstance(table.columns[name].type, UTCDateTime)
    return datetime.fromisoformat(value) if is_time else value


def _later(row: Row, by: timedelta) -> Row:
    return {
        name: value + by if isinstance(value, datetime) else value for name, value in row.items()
    }


def _write_to_sqlite(found: dict[Table, list[Row]]) -> None:
    with closing(db.engine.raw_connection()) as pooled:
        raw: Any = pooled.dbapi_connection
        raw.execute("BEGIN IMMEDIATE")
        raw.execute("PRAGMA defer_foreign_keys = ON")  # some point at each other in a circle
        for table, rows in found.items():
            places = ", ".join("?" * len(rows[0]))
            names = ", ".join(f'"{name}"' for name in rows[0])
            statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({places})'  # noqa: S608
            raw.executemany(statement, [[_stored(value) for value in row.values()] for row in rows])
        raw.execute("COMMIT")


def _stored(value: Any) -> Any:
    return value.strftime(STORED_TIME) if isinstance(value, datetime) else value


def _write_to_postgresql(found: dict[Table, list[Row]]) -> None:
    with db.engine.begin() as connection:
        # some point at each other in a circle
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table, rows in found.items():
            connection.execute(table.insert(), rows)
            if "id" in table.columns:
                last = max(row["id"] for row in rows)
                sequence = "pg_get_serial_sequence(:name, 'id')"
                values = {"name": table.name, "last": last}
                connection.execute(text(f"SELECT setval({sequence}, :last)"), values)
