"""Open clients, visitors in front of them, and limits that are set without a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.accounts.models import Account
from portal.database import db
from portal.limits import finding
from portal.limits.models import BudgetReservation, BudgetUse, SubjectKinds
from tests.people import People
from tests.planes import Planes
from tests.serving.conftest import make_visitor, visitor

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
