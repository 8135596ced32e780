"""Notices as tests write them: one sentence that the account is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.accounts.mails import Mail
from portal.database import db
from portal.notices.kinds import Kind, Level
from portal.notices.models import Notice
from portal.notices.telling import News, tell
from tests.notifications.webhook_receiver import Receiver
from tests.people import People

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
Tell = Callable[..., Notice | None]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that webhooks are sent to."""
    found = Receiver()
    yield found
    found.stop()


@pytest.fixture
def told(database: None, people: People) -> Tell:
    """Tell Birkenhof something, and commit."""

    def tell_them(now: datetime = NOON, **values: Any) -> Notice | None:
        news = {
            "kind": Kind.DOMAIN_FAILING,
            "level": Level.BAD,
            "subject": "lakeside.example does not pass its checks any more",
            "text": "The TXT record is gone.",
            "path": "/custom-domains/",
            "name": "lakeside.example",
            **values,
        }
        notice = tell(people.alice.account_id, News(**news), now)
        db.session.commit()
        return notice

    return tell_them


def mails() -> list[Mail]:
    """All that were written, in order."""
    db.session.rollback()
    return list(db.session.scalars(db.select(Mail).order_by(Mail.id)))


def notices() -> list[Notice]:
    """All that are stored, held ones too, in order."""
    db.session.rollback()
    return list(db.session.scalars(db.select(Notice).order_by(Notice.id)))
