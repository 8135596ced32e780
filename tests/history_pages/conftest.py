"""A history that is written as the recorder writes it, some time ago from now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient
from portal.request_history import storing
from portal.request_history.storing import Visit, whole
from tests.people import Browser, MakeClient, Page, People, Person
from tests.planes import Planes

Told = Callable[..., int]


@contextmanager
def statements_of(app: Flask) -> Iterator[list[str]]:
    """The SQL statements that run inside."""
    asked: list[str] = []
    with app.app_context():
        engine = db.engine

    def listener(*arguments: Any) -> None:
        if arguments[2] != "BEGIN":
            asked.append(arguments[2])

    db.event.listen(engine, "before_cursor_execute", listener)
    try:
        yield asked
    finally:
        db.event.remove(engine, "before_cursor_execute", listener)


class Telling:
    """Writes requests; the newest are the last that were told."""

    def __init__(self, planes: Planes, people: People) -> None:
        self.planes, self.people = planes, people
        self._number = 0

    def __call__(
        self,
        question: str = "What is it?",
        answer: str = "It is that.",
        *,
        ago: timedelta = timedelta(0),
        client: str = "",
        person: Person | None = None,
        session: str = "",
        **columns: Any,
    ) -> int:
        """One request of a client (by hashed id); its number."""
        self._number += 1
        with self.planes.worker.app_context():
            account_id = (person or self.people.alice).account_id
            query = db.select(LLMClient).where(LLMClient.account_id == account_id)
            if client:
                query = query.where(LLMClient.hashed_id == client)
            llm_client = db.session.scalars(query.limit(1)).one()
            row = whole(
                {
                    "account_id": account_id,
                    "llm_client_id": llm_client.id,
                    "llm_client_name": llm_client.name,
                    "created_at": utc_now() - ago,
                    "request_id": f"r{self._number}",
                    "session_key": session,
                    "request": {"message": question},
                    "response": {"text": answer},
                    "question_preview": question,
                    "answer_preview": answer,
                    "status": 200,
                    "mode": "default",
                    **columns,
                }
            )
            visit = Visit(session) if session else None
            storing.insert(db.session.connection(), [(row, visit)])
            db.session.commit()
            return int(row["id"])


@pytest.fixture
def tell(planes: Planes, people: People) -> Telling:
    return Telling(planes, people)


@pytest.fixture
def museum(make_client: MakeClient) -> str:
    """The hashed id of alice's client."""
    return make_client("museum")


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def listed(page: Page) -> list[int]:
    """The numbers of the requests on a page."""
    return [int(str(row["id"])[1:]) for row in page.html.select("table.requests tbody tr")]
