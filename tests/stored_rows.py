"""What is in the tables now, to be written again when they were emptied: quicker than making it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, select, text

from portal.database import db

Row = dict[str, Any]


class Rows:
    """Every row of every table, and when they were as old as they are."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        with db.engine.connect() as connection:
            found = {
                table: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in db.metadata.sorted_tables
            }
        self._rows: dict[Table, list[Row]] = {one: rows for one, rows in found.items() if rows}

    def __bool__(self) -> bool:
        return bool(self._rows)

    def write_again(self, now: datetime) -> None:
        """As they would be if they had been made now; numbers go on behind theirs."""
        is_postgresql = db.engine.dialect.name == "postgresql"
        with db.engine.begin() as connection:
            if is_postgresql:  # some point at each other in a circle
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            else:
                connection.execute(text("PRAGMA defer_foreign_keys = ON"))
            for table, rows in self._rows.items():
                connection.execute(table.insert(), [_later(row, now - self._now) for row in rows])
                if is_postgresql and "id" in table.columns:
                    last = max(row["id"] for row in rows)
                    sequence = "pg_get_serial_sequence(:name, 'id')"
                    values = {"name": table.name, "last": last}
                    connection.execute(text(f"SELECT setval({sequence}, :last)"), values)


def _later(row: Row, by: timedelta) -> Row:
    return {
        name: value + by if isinstance(value, datetime) else value for name, value in row.items()
    }
