"""The report of a month: once for each account, in its own time zone, with the month before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from portal.accounts.models import Account
from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.notices.models import Notice
from portal.notifications import monthly_reports
from tests.counted import count
from tests.notifications.conftest import mails, notices
from tests.people import MakeClient, People

Stored = Callable[[str], LLMClient]
MIDNIGHT = datetime(2026, 11, 30, 23, tzinfo=UTC)  # of 1 December in Berlin
MINUTE = timedelta(minutes=1)


@pytest.fixture
def guide(make_client: MakeClient, stored: Stored, people: People) -> LLMClient:
    """Birkenhof's, from before November; asked in October and in November."""
    found = stored(make_client("guide"))
    db.session.get_one(Account, people.alice.account_id).created_at = datetime(
        2026, 1, 1, tzinfo=UTC
    )
    db.session.commit()
    columns = {"tokens_in": 10, "tokens_out": 5, "cost_micros": 10_000}
    count(found, datetime(2026, 10, 5, tzinfo=UTC), answered=4, **columns)
    count(found, datetime(2026, 11, 5, tzinfo=UTC), answered=1_200, failed=4, **columns)
    count(
        found, datetime(2026, 10, 31, 23, tzinfo=UTC), answered=1, **columns
    )  # November in Berlin
    count(found, MIDNIGHT, answered=7)
    count(found, datetime(2026, 11, 6, tzinfo=UTC), answered=99, mode="sandbox")
    return found


def test_it_has_the_month_and_the_month_before(guide: LLMClient) -> None:
    monthly_reports.write_due(MIDNIGHT + MINUTE)
    [notice] = notices()
    assert notice.subject == "Birkenhof Media in November 2026: 1,205 requests"
    for line in (
        "  Requests: 1,205 (4 in October)",
        "  Failed: 4, 0.3% (0, 0.0% in October)",
        "  Tokens: 18,075 (60 in October)",
        "  Cost: US$ 12.05 (US$ 0.04 in October)",
        "  guide: 1,205 requests, US$ 12.05 (4 requests in October)",
    ):
        assert line in notice.text
    assert len(mails()) == 1


def test_it_waits_for_the_end_of_the_month_in_the_account_s_zone(guide: LLMClient) -> None:
    monthly_reports.write_due(MIDNIGHT - MINUTE)
    assert [notice.once_key for notice in notices()] == ["report/2026-10"]
    monthly_reports.write_due(MIDNIGHT + MINUTE)
    assert [notice.once_key for notice in notices()] == ["report/2026-10", "report/2026-11"]


def test_it_is_written_once_however_often_the_round_is_made(guide: LLMClient) -> None:
    for hours in range(4):
        monthly_reports.write_due(MIDNIGHT + MINUTE + timedelta(hours=9 * hours))
    assert len(notices()) == len(mails()) == 1


def test_a_round_that_is_killed_before_its_commit_has_told_nobody(guide: LLMClient) -> None:
    account = db.session.get_one(Account, guide.account_id)
    news = monthly_reports.report(account, date(2026, 11, 1))
    monthly_reports.tell(account.id, news, MIDNIGHT)
    db.session.rollback()
    monthly_reports.write_due(MIDNIGHT + MINUTE)
    assert len(mails()) == 1


def test_who_came_later_or_was_never_asked_gets_none(guide: LLMClient, people: People) -> None:
    account = db.session.get_one(Account, people.alice.account_id)
    account.created_at = MIDNIGHT + MINUTE
    db.session.commit()
    monthly_reports.write_due(MIDNIGHT + timedelta(hours=5))
    assert db.session.scalars(db.select(Notice)).all() == []
