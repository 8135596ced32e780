"""Open clients, visitors in front of them, and limits that are set without a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.accounts.models import Account
from portal.database import db
from portal.limits import finding
from portal.limits.models import BudgetReservation, BudgetUse, SubjectKinds
from tests.model_server import MODEL
from tests.people import People
from tests.planes import Planes
from tests.serving.conftest import Visitor, make_visitor, visitor

__all__ = ["make_visitor", "visitor"]

SetLimits = Callable[..., None]
KINDS = {"account": SubjectKinds.ACCOUNT, "client": SubjectKinds.CLIENT, "key": SubjectKinds.KEY}


@pytest.fixture
def set_limits(planes: Planes, people: People) -> SetLimits:
    """Set columns of Limits for a subject of Alice's account."""

    def store(kind: str, subject_id: int, **columns: Any) -> None:
        with planes.worker.app_context():
            account = db.session.get_one(Account, people.alice.account_id)
            row = finding.made(account, KINDS[kind], subject_id)
            for name, value in columns.items():
                setattr(row, name, value)
            db.session.commit()

    return store


class Sums:
    """What the tables of budgets hold now."""

    def __init__(self, planes: Planes) -> None:
        self._planes = planes

    def of(self, kind: str, period: str = "day") -> BudgetUse:
        """The one sum of a kind of subject."""
        with self._planes.worker.app_context():
            query = db.select(BudgetUse).where(BudgetUse.kind == kind, BudgetUse.period == period)
            return db.session.scalars(query).one()

    @property
    def reservations(self) -> list[BudgetReservation]:
        with self._planes.worker.app_context():
            return list(db.session.scalars(db.select(BudgetReservation)))


@pytest.fixture
def sums(planes: Planes) -> Sums:
    return Sums(planes)


class Program:
    """A program in front of a client, with or without a key."""

    def __init__(self, visitor: Visitor, key: str = "", address: str = "192.0.2.1") -> None:
        self._visitor = visitor
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._environ = {"REMOTE_ADDR": address}

    def ask(
        self, text: str = "hello", *, headers: dict[str, str] | None = None, **fields: Any
    ) -> Any:
        """One prompt by OpenAI's API, as it is answered."""
        body = {"model": MODEL, "messages": [{"role": "user", "content": text}]}
        return self._visitor.ask(
            "POST",
            "/v1/chat/completions",
            json={**body, **fields},
            headers={**self._headers, **(headers or {})},
            environ_base=self._environ,
        )

    def statuses(self, count: int, **fields: Any) -> list[int]:
        """Of so many prompts, one after the other."""
        return [self.ask(**fields).status_code for _ in range(count)]
