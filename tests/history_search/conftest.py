"""A history that is written as the recorder writes it, and looked at as the pages do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.ctx import AppContext

from portal.database import db
from portal.history_search import listing
from portal.history_search.filters import parse
from portal.history_search.jobs import index_requests
from portal.history_search.listing import Page
from portal.llm_clients.models import LLMClient
from portal.request_history import storing
from portal.request_history.storing import whole
from tests.people import MakeClient, People, Person
from tests.planes import Planes

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


class History:
    """Requests of an account, and pages of them."""

    def __init__(self, people: People) -> None:
        self.people = people
        self._number = 0

    def write(
        self,
        question: str = "What is it?",
        answer: str = "It is that.",
        *,
        person: Person | None = None,
        client: LLMClient | None = None,
        at: datetime | None = None,
        indexed: bool = True,
        **columns: Any,
    ) -> int:
        """One request; its number. They lie a second apart, the newest the last."""
        self._number += 1
        account_id = (person or self.people.alice).account_id
        client = (
            client
            or db.session.scalars(
                db.select(LLMClient).where(LLMClient.account_id == account_id).limit(1)
            ).one_or_none()
        )
        row = whole(
            {
                "account_id": account_id,
                "llm_client_id": client.id if client else None,
                "llm_client_name": client.name if client else "",
                "created_at": at or NOW - timedelta(hours=1) + timedelta(seconds=self._number),
                "request_id": f"r{self._number}",
                "request": {"message": question},
                "response": {"text": answer},
                "question_preview": question,
                "answer_preview": answer,
                "status": 200,
                "mode": "default",
                **columns,
            }
        )
        storing.insert(db.session.connection(), [(row, None)])
        db.session.commit()
        if indexed:
            index_requests()
        return int(row["id"])

    def page(
        self,
        *,
        person: Person | None = None,
        client: LLMClient | None = None,
        before: str = "",
        after: str = "",
        **values: str,
    ) -> Page:
        """A page of the list."""
        values = {"range": "7d", **values}
        filters = parse(values, ZoneInfo("Europe/Berlin"), NOW)
        account_id = (person or self.people.alice).account_id
        return listing.page(account_id, filters, client, before, after)

    def found(self, **values: Any) -> list[int]:
        """The numbers on a page."""
        return [row.id for row in self.page(**values).rows]


@pytest.fixture
def context(planes: Planes) -> Iterator[AppContext]:
    """The worker's application."""
    with planes.worker.app_context() as context:
        yield context


@pytest.fixture
def history(people: People, make_client: MakeClient, context: AppContext) -> History:
    """Alice has a client, charlie, who is a stranger, too."""
    make_client()
    make_client("other", people.charlie)
    return History(people)


@pytest.fixture
def clients(history: History, make_client: MakeClient) -> Callable[[str], LLMClient]:
    """Another client of alice's, by name."""

    def make(name: str) -> LLMClient:
        hashed_id = make_client(name)
        return db.session.scalars(db.select(LLMClient).filter_by(hashed_id=hashed_id)).one()

    return make
