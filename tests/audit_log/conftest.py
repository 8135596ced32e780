"""A log with events of Alice's account, written as the pages do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from flask.ctx import AppContext

from portal.accounts import audit
from portal.accounts.event_text import mark_of
from portal.accounts.models import AuditEvent
from portal.audit_log import verifying
from portal.audit_log.jobs import seal_events
from portal.database import current_settings, db
from tests.people import People
from tests.planes import Planes

Write = Callable[..., int]
Seal = Callable[..., None]
Verify = Callable[..., verifying.Found]


@dataclass(frozen=True)
class Somebody:
    """Who acts in a test."""

    account_id: int | None
    user_id: int | None = None
    address: str = "192.0.2.7"
    by: str = "form"


@dataclass
class Thing:
    """Something that is changed."""

    id: int = 7
    name: str = "museum_guide"
    values: dict[str, Any] = field(default_factory=dict)


@pytest.fixture
def context(planes: Planes) -> Iterator[AppContext]:
    """The worker's application."""
    with planes.worker.app_context() as context:
        yield context
        db.session.rollback()


@pytest.fixture
def write(people: People, context: AppContext) -> Write:
    """Commit an event; its number."""

    def one(action: str = "changed", at: datetime | None = None, **values: Any) -> int:
        account_id = values.pop("account_id", people.alice.account_id)
        actor = Somebody(account_id, people.alice.user_id)
        audit.record(actor, action, Thing(), before={"size": 1}, after={"size": 2, **values})
        db.session.flush()
        event = db.session.scalars(
            db.select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)
        ).one()
        if at is not None:
            event.created_at = at
            event.seal = mark_of(event, current_settings().secret_key)
        db.session.commit()
        return int(event.id)

    return one


@pytest.fixture
def seal(people: People, context: AppContext) -> Seal:
    """What the worker does a moment later."""

    def all_of(number: int | None = None) -> None:
        seal_events(people.alice.account_id if number is None else number)

    return all_of


@pytest.fixture
def verify(people: People, context: AppContext) -> Verify:
    """Look at the chain of Alice's account."""

    def look(number: int | None = None, **options: Any) -> verifying.Found:
        verifying.begin_looking()
        found = verifying.verify(people.alice.account_id if number is None else number, **options)
        db.session.rollback()
        return found

    return look


@pytest.fixture
def by_hand(context: AppContext) -> Callable[[str], None]:
    """What somebody does who can write into the database."""

    def run(statement: str) -> None:
        db.session.execute(db.text(statement))
        db.session.commit()

    return run
