"""A history with sessions, old enough to lose something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.ctx import AppContext
from sqlalchemy import Engine

from portal.accounts.models import Account
from portal.database import db
from portal.history_search.jobs import index_requests
from portal.llm_clients.models import LLMClient
from portal.request_history import storing
from portal.request_history.storing import Visit, whole
from tests.people import MakeClient, People
from tests.planes import Planes

# In Berlin it is the 20th, 13:30.
NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
Asked = Callable[..., int]


@pytest.fixture
def context(planes: Planes) -> Iterator[AppContext]:
    """The worker's application."""
    with planes.worker.app_context() as context:
        yield context


@pytest.fixture
def account(people: People, make_client: MakeClient, context: AppContext) -> Account:
    """Alice's, with one client; bodies are kept 30 days, rows 100."""
    make_client()
    found = db.session.get_one(Account, people.alice.account_id)
    found.request_bodies_days, found.request_rows_days = 30, 100
    db.session.commit()
    return found


@pytest.fixture
def client(account: Account) -> LLMClient:
    return db.session.scalars(db.select(LLMClient).filter_by(account_id=account.id)).one()


@pytest.fixture
def asked(account: Account, client: LLMClient) -> Asked:
    """One request so many days ago, indexed; its number."""
    written = 0

    def write(days: float = 0, words: str = "needle", session: str = "", **columns: Any) -> int:
        nonlocal written
        written += 1
        row = whole(
            {
                "account_id": account.id,
                "llm_client_id": client.id,
                "llm_client_name": client.name,
                "created_at": NOW - timedelta(days=days) + timedelta(microseconds=written),
                "request_id": f"r{written}",
                "request": {"message": f"question {words}"},
                "response": {"text": f"answer {words}"},
                "question_preview": f"question {words}",
                "answer_preview": f"answer {words}",
                "session_key": session,
                "status": 200,
                "mode": "default",
                "tokens_in": 10,
                "tokens_out": 20,
                "latency_ms": 1000,
                "cost_micros": 5,
                **columns,
            }
        )
        visit = Visit(session, f"visitor of {session}"[:64]) if session else None
        storing.insert(db.session.connection(), [(row, visit)])
        db.session.commit()
        index_requests()
        return int(row["id"])

    return write


@pytest.fixture
def dump(context: AppContext) -> Callable[[], str]:
    """All that the database holds, as text; on SQLite the octets of its files as well."""

    def read() -> str:
        db.session.commit()
        engine: Engine = db.engine
        names = [table.name for table in db.metadata.sorted_tables]
        names += ["request_search"] if engine.dialect.name == "postgresql" else []
        with engine.connect() as connection:
            told = [repr(connection.exec_driver_sql(f'SELECT * FROM "{n}"').all()) for n in names]  # noqa: S608
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                path = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
            with open(path, "rb") as file:
                told.append(file.read().decode("latin-1"))
        return "\n".join(told)

    return read
