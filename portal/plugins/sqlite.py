"""Reading an SQLite file: opened read-only, nothing but SELECT allowed, stopped in time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from portal.plugins.parameters import PluginError

STEPS_BETWEEN_LOOKS = 2_000
LONGEST_PATTERN = 100  # LIKE with many % takes long without a step
NO_FILE = "There is no such database file, or it cannot be opened."
ALLOWED = frozenset(
    (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
)


def rows(
    path: str,
    statement: str,
    values: Mapping[str, Any],
    most: int,
    seconds: float,
    largest: int,
) -> list[str]:
    """At most `most` rows as JSON texts; stops reading after `largest` bytes. Raises PluginError.

    `path` begins with two slashes, as the path of a sqlite:// URL has it.
    """
    ends_at = time.monotonic() + seconds
    if not Path(path[1:]).is_file():  # opening a pipe would wait for its other end
        raise PluginError(NO_FILE)
    name = f"file:{quote(path[1:])}?mode=ro"
    try:
        with closing(sqlite3.connect(name, uri=True, timeout=min(1.0, seconds))) as connection:
            _guard(connection, ends_at, largest)
            cursor = connection.execute(statement, dict(values))
            return _read(cursor, most, largest)
    except sqlite3.Error as error:
        raise _failure(error, time.monotonic() >= ends_at) from error


def _guard(connection: sqlite3.Connection, ends_at: float, largest: int) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 32 * largest)
    connection.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 100)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LONGEST_PATTERN)
    connection.set_progress_handler(lambda: time.monotonic() >= ends_at, STEPS_BETWEEN_LOOKS)
    connection.set_authorizer(
        lambda action, *rest: sqlite3.SQLITE_OK if action in ALLOWED else sqlite3.SQLITE_DENY
    )


def _read(cursor: sqlite3.Cursor, most: int, largest: int) -> list[str]:
    names = [column[0] for column in cursor.description or ()]
    found: list[str] = []
    size = 0
    for row in cursor:
        found.append(json.dumps(dict(zip(names, map(_told, row), strict=True)), ensure_ascii=False))
        size += len(found[-1])
        if len(found) >= most or size > largest:
            break
    return found


def _told(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return str(value) if isinstance(value, float) and value - value != 0 else value


def _failure(error: sqlite3.Error, out_of_time: bool) -> PluginError:
    if out_of_time:
        return PluginError("The database did not answer in time.")
    if "unable to open" in str(error):
        return PluginError(NO_FILE)
    if "not authorized" in str(error):
        return PluginError("The statement does more than read, which is not allowed.")
    return PluginError(f"The database refused the statement: {str(error)[:300]}.")
