"""Erasing what a session, a visitor or a client was asked: nothing of the words stays anywhere.

The hourly sums stay; they hold numbers only. A request that is under way is recorded afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select, text

from portal.history_keeping.models import HistoryErasure
from portal.history_keeping.removing import BATCH, ROWS, remove_rows
from portal.request_history.models import Prompt

SESSIONS = Prompt.__table__
Kinds = HistoryErasure.Kinds


def erase_some(connection: Connection, account_id: int, kind: str, subject: str) -> int:
    """One bounded batch; how many requests that were, 0 when nothing is left but sessions."""
    ids = _requests(connection, account_id, kind, subject)
    if ids:
        remove_rows(connection, ids)
    return len(ids)


def _requests(connection: Connection, account_id: int, kind: str, subject: str) -> Sequence[int]:
    query = select(ROWS.c.id).where(ROWS.c.account_id + 0 == account_id)
    if kind == Kinds.CLIENT:
        query = query.where(ROWS.c.llm_client_id == int(subject))
    elif kind == Kinds.SESSION:
        query = query.where(ROWS.c.session_key == subject)
    else:
        keys = connection.scalars(
            select(SESSIONS.c.session_key)
            .where(SESSIONS.c.account_id == account_id, SESSIONS.c.visitor_hash == subject)
            .limit(BATCH)
        ).all()
        query = query.where(ROWS.c.session_key.in_(keys))
    found = connection.scalars(query.limit(BATCH)).all()
    if not found and kind == Kinds.VISITOR and keys:
        _forget_sessions(connection, keys)
        return _requests(connection, account_id, kind, subject)
    return found


def _forget_sessions(connection: Connection, keys: Sequence[str]) -> None:
    query = delete(SESSIONS).where(SESSIONS.c.session_key.in_(bindparam("keys", expanding=True)))
    connection.execute(query, {"keys": list(keys)})


def erase_sessions(connection: Connection, account_id: int, kind: str, subject: str) -> None:
    """After the last request: sessions without words, with what somebody wrote about them."""
    query = delete(SESSIONS).where(SESSIONS.c.account_id == account_id)
    if kind == Kinds.CLIENT:
        connection.execute(query.where(SESSIONS.c.llm_client_id == int(subject)))
    elif kind == Kinds.SESSION:
        connection.execute(query.where(SESSIONS.c.session_key == subject))
    else:
        connection.execute(query.where(SESSIONS.c.visitor_hash == subject))


def tidy(connection: Connection) -> None:
    """Let SQLite's index merge what was forgotten with what forgets it; PostgreSQL vacuums."""
    if connection.dialect.name == "sqlite":
        connection.execute(
            text("INSERT INTO request_search (request_search, rank) VALUES ('merge', 200)")
        )
