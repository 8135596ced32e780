"""Reading a PostgreSQL database: a checked address, a read-only transaction, an end in time."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote

import psycopg

from portal.errors import AdapterError
from portal.llm_providers.deadlines import DEADLINES
from portal.outgoing import checked_addresses
from portal.plugins.parameters import PluginError

CONNECT_SECONDS = 3
DEFAULT_PORT = 5432
TOO_LATE = "The database did not answer in time."
# The server cuts what no limit of ours would let pass, before it travels.
_WRAPPED = (
    "SELECT left(row_to_json(portal_rows)::text, %(portal_longest)s) FROM (\n{statement}\n) "
    "AS portal_rows LIMIT %(portal_most)s"
)
_TIMEOUT = psycopg.errors.QueryCanceled
_WRITES = (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.InsufficientPrivilege)


@dataclass(frozen=True)
class Target:
    """A database as libpq is told of it: every option is named here, none is looked up."""

    options: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of_url(cls, url: SplitResult, password: str, *, allow_private: bool) -> Target:
        """Resolve and check the host now; the connection goes to that address. PluginError."""
        asked = parse_qs(url.query)
        options: dict[str, Any] = {
            "user": unquote(url.username or ""),
            "dbname": unquote(url.path.strip("/")),
            "port": url.port or DEFAULT_PORT,
            "password": password or None,
            "connect_timeout": CONNECT_SECONDS,
            "application_name": "portal",
            "client_encoding": "UTF8",
            "passfile": os.devnull,
            "sslcertmode": "disable",
            "gssencmode": "disable",
        }
        if "host" in asked:
            return cls({**options, "host": asked["host"][0]})
        sslmode = asked.get("sslmode", ["prefer" if allow_private else "require"])[0]
        if sslmode == "verify-full":
            options["sslrootcert"] = "system"
        host = str(url.hostname)
        address = _address_of(host, options["port"], allow_private=allow_private)
        return cls({**options, "host": host, "hostaddr": address, "sslmode": sslmode})


def _address_of(host: str, port: int, *, allow_private: bool) -> str:
    try:
        return checked_addresses(host, port, allow_private)[0]
    except AdapterError as error:
        raise PluginError(error.public_message) from error
    except (OSError, UnicodeError, IndexError) as error:
        raise PluginError("The host of the database has no address.") from error


def rows(
    target: Target,
    statement: str,
    values: Mapping[str, Any],
    most: int,
    seconds: float,
    longest: int,
) -> list[str]:
    """At most `most` rows as JSON texts, each cut beyond `longest` characters. PluginError."""
    bound = {**values, "portal_most": most, "portal_longest": longest + 1}
    query = _WRAPPED.format(statement=statement)
    try:
        with _connected(target, seconds) as connection:
            milliseconds = str(int(seconds * 1000))
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (milliseconds,))
            found = connection.execute(query.encode(), bound).fetchall()
    except psycopg.Error as error:
        raise _failure(error) from error
    return [str(row[0]) for row in found]


@contextlib.contextmanager
def _connected(target: Target, seconds: float) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose transactions only read; hung up on where the server keeps no time."""
    connection = psycopg.connect(**target.options)
    deadline = DEADLINES.after(seconds + 1, lambda: _hang_up(connection))
    try:
        connection.read_only = True
        yield connection
    except psycopg.OperationalError as error:
        if deadline.passed:
            raise PluginError(TOO_LATE) from error
        raise
    finally:
        deadline.cancel()
        connection.close()


def _hang_up(connection: psycopg.Connection[Any]) -> None:
    """Wake whoever waits for this server: the same socket by another number is shut down."""
    with (
        contextlib.suppress(OSError, psycopg.Error),
        socket.socket(fileno=os.dup(connection.fileno())) as same,
    ):
        same.shutdown(socket.SHUT_RDWR)


def _failure(error: psycopg.Error) -> PluginError:
    """The server's own words about the statement, never about the connection."""
    if isinstance(error, _TIMEOUT):
        return PluginError(TOO_LATE)
    if isinstance(error, _WRITES):
        return PluginError("The statement does more than read, which is not allowed.")
    if error.sqlstate and error.diag.message_primary and not error.sqlstate.startswith("28"):
        words = error.diag.message_primary[:300]
        return PluginError(f"The database refused the statement: {words}.")
    if error.sqlstate and error.sqlstate.startswith("28"):
        return PluginError("The database refused the user or the password.")
    return PluginError("The database cannot be reached at its address.")
