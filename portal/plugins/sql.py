"""The kind sql: one SELECT with bound parameters, read-only, limited in time, rows and size.

PostgreSQL over its own address check, pinned; SQLite files only where private addresses are
allowed, that is on the machine of whoever runs the portal.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from portal.plugins import sqlite
from portal.plugins.parameters import PluginError, Value, of_content, read
from portal.plugins.statements import read as read_statement

POSTGRESQL = "portal.plugins.postgresql"  # loaded with its driver by the first plugin that asks
SECONDS = 3.0
MOST_ROWS = 50
LARGEST = 32 * 1024
SCHEMES = ("postgresql", "postgres", "sqlite")
SSL_MODES = ("require", "verify-full")
NO_ROWS = "No rows."
LEFT_OUT = "[More rows are left out.]"


def call(
    content: Mapping[str, Any],
    secret: str,
    arguments: Mapping[str, Any],
    *,
    allow_private: bool,
    seconds: float = SECONDS,
) -> str:
    """The rows as JSON, one on each line; at most 50 and 32 KB. Raises PluginError."""
    values = read(of_content(content), arguments)
    statement = read_statement(content["statement"])
    bound: dict[str, Value | None] = {name: values.get(name) for name in statement.names}
    url = checked_url(content["url"], allow_private=allow_private)
    if url.scheme == "sqlite":
        rows = sqlite.rows(
            unquote(url.path), statement.for_sqlite(), bound, MOST_ROWS + 1, seconds, LARGEST
        )
    else:
        postgresql = importlib.import_module(POSTGRESQL)
        target = postgresql.Target.of_url(url, secret, allow_private=allow_private)
        rows = postgresql.rows(
            target, statement.for_postgresql(), bound, MOST_ROWS + 1, seconds, LARGEST
        )
    return _told(rows)


def _told(rows: list[str]) -> str:
    if not rows:
        return NO_ROWS
    told: list[str] = []
    size = 0
    for row in rows[:MOST_ROWS]:
        size += len(row.encode()) + 1
        if size > LARGEST:
            break
        told.append(row)
    if not told:
        raise PluginError("A row is longer than 32 KB. Select fewer columns.")
    return "\n".join([*told, *([LEFT_OUT] if len(told) < len(rows) else [])])


def checked_url(text: str, *, allow_private: bool) -> SplitResult:
    """A connection URL without a password that may be used here. Raises PluginError."""
    try:
        url = urlsplit(text.strip())
        port = url.port
    except ValueError as error:
        raise PluginError("This is not a connection URL.") from error
    if url.scheme not in SCHEMES or re.search(r"[\x00-\x20\x7f]", text.strip()):
        raise PluginError("It must begin with postgresql://, such as postgresql://user@host/name.")
    if url.password is not None:
        raise PluginError("Leave the password out of the URL; it has a field of its own.")
    if url.scheme == "sqlite":
        _check_file(url, allow_private=allow_private)
        return url
    asked = parse_qs(url.query)
    is_socket = allow_private and str(asked.get("host", [""])[0]).startswith("/")
    if not url.hostname and not is_socket:
        raise PluginError("The URL names no host.")
    if set(asked) - {"sslmode", "host"} or ("host" in asked and not is_socket):
        raise PluginError("Of the options only sslmode may stand in the URL.")
    if "sslmode" in asked and asked["sslmode"][0] not in SSL_MODES:
        raise PluginError(f"sslmode must be one of {', '.join(SSL_MODES)}.")
    if not url.username or not url.path.strip("/"):
        raise PluginError("The URL must name a user and a database: postgresql://user@host/name.")
    if port == 0:
        raise PluginError("The port must be between 1 and 65,535.")
    return url


def _check_file(url: SplitResult, *, allow_private: bool) -> None:
    if not allow_private:
        raise PluginError("SQLite files can be read on your own machine only. Use PostgreSQL.")
    if url.netloc or url.query or not url.path.startswith("//"):
        raise PluginError("A file is named by its whole path: sqlite:////folder/name.sqlite3.")
