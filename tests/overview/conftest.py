"""Requests with everything that is counted of them, written as the recorder writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from portal.accounts.models import Account
from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.overview.scope import Scope
from portal.request_history import storing
from portal.request_history.storing import Visit, whole
from tests.people import People
from tests.planes import Planes

Write = Callable[..., None]


@pytest.fixture
def write(planes: Planes) -> Write:
    """One request of a time to a client; columns of the history, `session` is its session's key."""
    numbers = iter(range(1_000_000))

    def write(hashed_id: str, at: datetime, *, session: str = "", **columns: Any) -> None:
        with planes.worker.app_context():
            llm_client = db.session.scalars(
                db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
            ).one()
            row = {
                "account_id": llm_client.account_id,
                "llm_client_id": llm_client.id,
                "llm_client_name": llm_client.name,
                "created_at": at,
                "request_id": f"r{next(numbers)}",
                "request": {"message": "Where?"},
                "session_key": session,
                "revision_number": 1,
                "provider": "demo",
                "model": "demo",
                "mode": "default",
                "status": 200,
                **columns,
            }
            visit = Visit(session) if session else None
            storing.insert(db.session.connection(), [(whole(row), visit)])
            db.session.commit()

    return write


def scope_of(people: People, hashed_id: str = "", provider: str = "") -> Scope:
    """Whose usage it is, in the account of Alice; within an application's context."""
    account = db.session.get_one(Account, people.alice.account_id)
    query = db.select(LLMClient).where(LLMClient.hashed_id == hashed_id)
    return Scope(account, db.session.scalars(query).one_or_none(), provider)


@contextmanager
def statements(planes: Planes) -> Iterator[list[str]]:
    """What the admin plane asks its database inside."""
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            asked.append(statement)

    with planes.admin.app_context():
        engine = db.engine
    db.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        db.event.remove(engine, "before_cursor_execute", note)
