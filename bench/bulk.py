"""Writing in bulk: what SQLite and PostgreSQL do differently when millions of rows go in.

Without a log and without flushing on SQLite, without the checks of references on PostgreSQL; all
indices but the keys are made afterwards. What is there at the end is what was there before.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Engine

from bench.history import FTS_HASH_OCTETS
from portal.database import db
from portal.history_keeping import partitions
from portal.history_search.index import _private
from portal.request_history.numbering import EPOCH

TABLES = ("llm_client_requests", "llm_client_request_bodies", "request_search", "prompts")
SMALL_HASH_OCTETS = 2**20  # as FTS5 has it by itself
SECONDS = int(EPOCH.timestamp())


class Bulk(Protocol):
    """A connection for filling, and the words in which its database says things."""

    def run(self, statement: str) -> None: ...

    def rows(self, query: str) -> list[Any]: ...

    def has(self, table: str) -> bool: ...

    def prepare(self, start: datetime, end: datetime) -> None: ...

    def make(self, table: str, columns: str) -> None: ...

    def load(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None: ...

    def forget(self, *tables: str) -> None: ...

    def drop_indices(self) -> None: ...

    def make_indices(self) -> None: ...

    def tidy(self) -> None: ...

    def time_of(self, microseconds: str) -> str: ...

    def json(self, text: str) -> str: ...

    def words(self, number: str, account_id: int, words: str) -> tuple[str, dict[str, str]]: ...


@contextmanager
def bulk_of(engine: Engine) -> Iterator[Bulk]:
    """Alone with the database; committed at the end."""
    db.session.commit()
    db.session.remove()
    if engine.dialect.name == "sqlite":
        engine.dispose()
        with closing(sqlite3.connect(str(engine.url.database), isolation_level=None)) as connection:
            sqlite_bulk = SqliteBulk(connection)
            yield sqlite_bulk
            sqlite_bulk.end()
    else:
        with closing(engine.raw_connection()) as raw:
            yield PostgresqlBulk(raw.driver_connection)
            raw.commit()


class SqliteBulk:
    """One transaction, so that FTS5 writes only when it has gathered `hashsize`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        for statement in (
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "PRAGMA locking_mode = EXCLUSIVE",
            "PRAGMA cache_size = -1500000",
            f"ATTACH '{path}.base' AS base",
            "PRAGMA base.journal_mode = OFF",
            "CREATE TABLE IF NOT EXISTS base.bench_indices (name TEXT, made TEXT)",
            "BEGIN",
        ):
            connection.execute(statement).fetchall()

    def end(self) -> None:
        self._connection.execute("COMMIT")
        self._connection.execute("DETACH base")
        self._connection.execute("PRAGMA locking_mode = NORMAL").fetchall()
        self._connection.execute("PRAGMA journal_mode = WAL").fetchall()

    def run(self, statement: str) -> None:
        self._connection.execute(statement)

    def rows(self, query: str) -> list[Any]:
        return self._connection.execute(query).fetchall()

    def has(self, table: str) -> bool:
        return bool(self.rows(f"SELECT 1 FROM base.sqlite_master WHERE name = '{table}'"))  # noqa: S608

    def prepare(self, start: datetime, end: datetime) -> None:
        self._hold(8 * FTS_HASH_OCTETS)

    def _hold(self, octets: int) -> None:
        query = "INSERT INTO request_search (request_search, rank) VALUES ('hashsize', ?)"
        self._connection.execute(query, (octets,))

    def make(self, table: str, columns: str) -> None:
        self.run(f"CREATE TABLE base.{table} ({columns})")

    def load(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        places = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"  # noqa: S608
        self._connection.executemany(statement, rows)

    def forget(self, *tables: str) -> None:
        for table in tables:
            self.run(f"DROP TABLE {table}")
        self._hold(SMALL_HASH_OCTETS)

    def drop_indices(self) -> None:
        names = ", ".join(f"'{table}'" for table in TABLES)
        self.run("DELETE FROM bench_indices")
        query = f"type = 'index' AND sql IS NOT NULL AND tbl_name IN ({names})"
        self.run(f"INSERT INTO bench_indices SELECT name, sql FROM sqlite_master WHERE {query}")  # noqa: S608
        for (name,) in self.rows("SELECT name FROM bench_indices"):
            self.run(f"DROP INDEX {name}")

    def make_indices(self) -> None:
        for (statement,) in self.rows("SELECT made FROM bench_indices"):
            self.run(statement)

    def tidy(self) -> None:
        """Nothing: the portal asks SQLite for no statistics either."""

    def time_of(self, microseconds: str) -> str:
        return (
            f"strftime('%Y-%m-%d %H:%M:%S', ({microseconds}) / 1000000 + {SECONDS}, 'unixepoch')"
            f" || printf('.%06d', ({microseconds}) % 1000000)"
        )

    def json(self, text: str) -> str:
        return text

    def words(self, number: str, account_id: int, words: str) -> tuple[str, dict[str, str]]:
        told = f"'{_private(account_id)}\n' || {words}"
        return "request_search", {"rowid": number, "words": told}


class PostgresqlBulk:
    """Rows without their triggers; every partition gets its statistics, as by autovacuum."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.run("SET session_replication_role = replica")
        self.run("SET maintenance_work_mem = '2GB'")
        self.run("SET work_mem = '512MB'")
        self.run("SET jit = off")
        self.run("CREATE UNLOGGED TABLE IF NOT EXISTS bench_indices (name TEXT, made TEXT)")

    def run(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def rows(self, query: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            return list(cursor.execute(query).fetchall())

    def has(self, table: str) -> bool:
        return bool(self.rows(f"SELECT to_regclass('{table}') IS NOT NULL")[0][0])

    def prepare(self, start: datetime, end: datetime) -> None:
        """A partition for each month; the portal would drop those that are still empty."""
        connection, month = db.session.connection(), partitions._month(start)
        while month <= end:
            for table in partitions.TABLES:
                if partitions._name(table, month) not in partitions._partitions(connection, table):
                    partitions._make(connection, table, month)
            month = partitions._after(month)
        db.session.commit()

    def make(self, table: str, columns: str) -> None:
        self.run(f"CREATE UNLOGGED TABLE {table} ({columns})")

    def load(self, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        statement = f"COPY {table} ({', '.join(names)}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
        self.run(f"ANALYZE {table}")

    def forget(self, *tables: str) -> None:
        for table in (*tables, "bench_indices"):
            self.run(f"DROP TABLE {table}")

    def drop_indices(self) -> None:
        names = ", ".join(f"'{table}'" for table in TABLES)
        self.run("DELETE FROM bench_indices")
        made = "replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')"
        which = f"indrelid::regclass::text IN ({names}) AND NOT indisunique"
        query = f"SELECT indexrelid::regclass::text, {made} FROM pg_index WHERE {which}"  # noqa: S608
        self.run(f"INSERT INTO bench_indices {query}")
        for (name,) in self.rows("SELECT name FROM bench_indices"):
            self.run(f"DROP INDEX {name}")
        self._connection.commit()

    def make_indices(self) -> None:
        self._connection.commit()
        for name, statement in self.rows("SELECT name, made FROM bench_indices"):
            started = time.monotonic()
            self.run(statement)
            self._connection.commit()
            print(f"    {name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)

    def tidy(self) -> None:
        self._connection.commit()
        self._connection.autocommit = True
        query = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = "
        for (table,) in self.rows(f"{query}'public'::regnamespace"):
            self.run(f"VACUUM (ANALYZE) {table}")
        self._connection.autocommit = False

    def time_of(self, microseconds: str) -> str:
        return f"timestamptz '{EPOCH.isoformat()}' + ({microseconds}) * interval '1 microsecond'"

    def json(self, text: str) -> str:
        return f"({text})::json"

    def words(self, number: str, account_id: int, words: str) -> tuple[str, dict[str, str]]:
        columns = {
            "id": number,
            "account_id": str(account_id),
            "llm_client_id": "llm_client_id",
            "words": words,
        }
        return "request_search", columns
