"""A large account: a thousand clients and as many requests as wanted, inserted in bulk.

Everything that belongs to a request is written in the same transactions: row, bodies, session,
hourly sums, words to search, all indices there from the beginning.
"""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, insert, text

from bench.conversations import Conversations
from bench.rig import DNS, TLS
from portal.accounts.models import Account, UserProfile
from portal.database import Serialized, db
from portal.history_keeping import partitions
from portal.history_search.index import Entry, index_of
from portal.llm_clients.models import LLMClient, LLMClientHost, LLMClientRevision
from portal.request_history import storing
from portal.request_history.models import LLMClientRequests, RequestBody
from portal.request_history.numbering import new_number
from portal.request_history.storing import Visit
from portal.usage import counting

BATCH = 20_000
FTS_HASH_OCTETS = 64 * 2**20
WORDS_INDEX = (
    "CREATE INDEX ix_request_search_words ON request_search USING gin (words gin_trgm_ops)"
)
ROWS, BODIES = LLMClientRequests.__table__, RequestBody.__table__
COLUMNS = [column.name for column in ROWS.columns]


def open_clients(account: Account, count: int) -> list[tuple[int, str]]:
    """Clients with a revision and an open host each; number and name."""
    profile = account.admin_profile
    assert profile is not None
    clients = _clients(account, profile, count)
    _revisions_and_hosts(account, [client_id for client_id, _ in clients])
    db.session.commit()
    return clients


def _clients(account: Account, profile: UserProfile, count: int) -> list[tuple[int, str]]:
    rows = [
        {
            "account_id": account.id,
            "user_profile_id": profile.id,
            "name": f"client_{number:05d}",
            "hashed_id": "b" + secrets.token_hex(10)[:19],
            "provider": "demo",
            "default_model": "demo",
            "deployed": number % 3 > 0,
            "dns_verification_status": DNS,
            "tls_certificate_issuance_status": TLS,
        }
        for number in range(count)
    ]
    db.session.execute(insert(LLMClient), rows)
    query = db.select(LLMClient.id, LLMClient.name).where(LLMClient.account_id == account.id)
    return [(row.id, row.name) for row in db.session.execute(query.order_by(LLMClient.id))]


def _revisions_and_hosts(account: Account, ids: list[int]) -> None:
    revisions = [
        {"llm_client_id": found, "number": 1, "content": {"provider": "demo"}, "content_hash": ""}
        for found in ids
    ]
    columns = set(LLMClientRevision.__table__.columns.keys())
    db.session.execute(
        insert(LLMClientRevision),
        [{key: value for key, value in row.items() if key in columns} for row in revisions],
    )
    hosts = [
        {
            "account_id": account.id,
            "llm_client_id": found,
            "hostname": f"client-{found}.example.test",
            "state": LLMClientHost.States.CURRENT,
            "is_open": True,
        }
        for found in ids
    ]
    db.session.execute(insert(LLMClientHost), hosts)


def fill(
    conversations: Conversations,
    count: int,
    start: datetime,
    end: datetime,
    *,
    progress: bool = False,
) -> float:
    """Write so many requests; the rows a second while they were written.

    PostgreSQL's index of trigrams is made anew afterwards, which is the quicker way, and is counted
    in.
    """
    make_partitions(start, end)
    is_sqlite = db.engine.dialect.name == "sqlite"
    if is_sqlite:
        _hold(FTS_HASH_OCTETS)
    else:
        _execute("DROP INDEX IF EXISTS ix_request_search_words")
    found = conversations.between(start, end, count)
    spent, done, began = 0.0, 0, time.monotonic()
    while batch := list(islice(found, BATCH)):
        started = time.monotonic()
        _write(batch)
        spent += time.monotonic() - started
        done += len(batch)
        if progress:
            _show(done, count, time.monotonic() - began)
    if progress:
        print(file=sys.stderr)
    if not is_sqlite:
        started = time.monotonic()
        _execute("SET LOCAL maintenance_work_mem = '1GB'", WORDS_INDEX)
        spent += time.monotonic() - started
    return done / max(spent, 1e-9)


def _hold(octets: int) -> None:
    """How much FTS5 gathers before it writes; it keeps that in its own table."""
    query = "INSERT INTO request_search (request_search, rank) VALUES ('hashsize', {})"
    _execute(query.format(octets))


def _execute(*statements: str) -> None:
    for statement in statements:
        db.session.execute(text(statement))
    db.session.commit()


def _show(done: int, count: int, seconds: float) -> None:
    share = done / max(1, count)
    bar = "#" * int(40 * share)
    left = seconds / share - seconds
    print(f"\r  [{bar:40}] {done:,} of {count:,}, {left:,.0f} s left ", end="", file=sys.stderr)


def make_partitions(start: datetime, end: datetime) -> None:
    """One for each month, also for those that are over."""
    month = start
    while month <= end:
        partitions.look_after(db.session.connection(), month)
        db.session.commit()
        month = partitions._after(partitions._month(month))


Told = list[tuple[dict[str, Any], str, str, str]]


def _write(batch: Told) -> None:
    for row, request, response, _ in batch:
        row["id"] = new_number(row["created_at"])
        row["request"], row["response"] = Serialized(request), Serialized(response)
    connection = db.session.connection()
    if connection.dialect.name == "sqlite":
        connection.execute(ROWS.insert(), [row for row, *_ in batch])
        connection.execute(BODIES.insert(), [row for row, *_ in batch])
        index_of(connection).learn(connection, _entries(batch))
    else:
        _copy(connection, "llm_client_requests", COLUMNS, _values(batch, COLUMNS))
        names = ["id", "account_id", "request", "response"]
        _copy(connection, "llm_client_request_bodies", names, _values(batch, names))
        _copy(connection, "request_search", list(Entry._fields), _entries(batch))
    visits = [(row, Visit(row["session_key"], row["session_key"][:32])) for row, *_ in batch]
    counting.write(connection, [row for row, *_ in batch], storing._sessions(connection, visits))
    db.session.commit()


def _entries(batch: Told) -> list[Entry]:
    return [
        Entry(row["id"], row["account_id"], row["llm_client_id"], words)
        for row, _, _, words in batch
    ]


def _values(batch: Told, names: list[str]) -> Iterator[list[Any]]:
    return ([row[name] for name in names] for row, *_ in batch)


def _copy(
    connection: Connection, table: str, names: list[str], rows: Iterable[Sequence[Any]]
) -> None:
    cursor: Any = connection.connection.cursor()
    with closing(cursor), cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
