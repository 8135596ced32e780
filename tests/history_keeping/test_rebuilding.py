"""Hourly sums are what the rows say: as they are written, with late rows, and counted anew."""

from __future__ import annotations

import argparse
import random
from datetime import timedelta
from typing import Any

import pytest

from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.errors import PortalError
from portal.history_keeping import jobs, rebuild_command, rebuilding
from portal.request_history.models import LLMClientRequests
from portal.usage.models import RequestRollup, RollupRebuild, UsageSeries
from portal.usage.tallies import hour_of
from tests.history_keeping.conftest import NOW, Asked
from tests.people import People


@pytest.fixture(autouse=True)
def now_is_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of this folder are of November 2026."""
    monkeypatch.setattr(jobs, "utc_now", lambda: max(NOW + timedelta(hours=3), utc_now()))


def sums() -> dict[Any, Any]:
    db.session.expire_all()
    query = db.select(RequestRollup.__table__).order_by(RequestRollup.series_id)
    return {
        (row.series_id, row.hour): tuple(row)
        for row in db.session.execute(query)
        if row.answered + row.refused + row.cancelled + row.failed
    }


def write_some(asked: Asked, seed: int = 3) -> None:
    """Requests of three days in no order, as late rows come."""
    chance = random.Random(seed)  # noqa: S311 - the same each time
    for number in range(60):
        asked(
            chance.random() * 3,
            session=f"s{number % 7}",
            status=chance.choice([200, 200, 200, 429, 499, 504]),
            error_code=chance.choice(["", "timeout", "refused"]),
            model=chance.choice(["a", "b"]),
            revision_number=chance.choice([1, 2]),
            mode=chance.choice(["default", "custom", "sandbox"]),
            api_key_id=chance.choice([None, 5]),
            latency_ms=chance.choice([None, 5, 700, 90_000]),
            first_token_ms=chance.choice([None, 300]),
        )


def rebuild(account: Account | None, first: int, last: int) -> RollupRebuild:
    wish = RollupRebuild(
        account_id=account.id if account else None,
        first_hour=first,
        last_hour=last,
        next_hour=first,
        next_attempt_at=utc_now() - timedelta(days=900),
    )
    db.session.add(wish)
    db.session.commit()
    for _ in range(20):
        jobs.rebuild_rollups(wish.id)
        db.session.refresh(wish)
        if wish.finished_at:
            return wish
    raise AssertionError("it does not end")


def hours() -> tuple[int, int]:
    times = db.session.scalars(db.select(LLMClientRequests.created_at)).all()
    return hour_of(min(times)), hour_of(max(times))


@pytest.mark.parametrize("whose", ["one account", "all"])
def test_counting_anew_gives_what_was_counted_before(
    whose: str, account: Account, asked: Asked
) -> None:
    write_some(asked)
    before = sums()
    assert len(before) > 50
    rebuild(account if whose == "one account" else None, *hours())
    assert sums() == before


def test_what_was_wrong_is_right_afterwards(account: Account, asked: Asked) -> None:
    write_some(asked)
    before = sums()
    db.session.execute(db.update(RequestRollup).values(answered=7, latencies=b""))
    db.session.execute(db.delete(UsageSeries).where(UsageSeries.grain == "client"))
    db.session.commit()
    assert sums() != before
    rebuild(account, *hours())
    assert sums() == before


def test_hours_whose_rows_are_folded_stay_as_they_are(account: Account, asked: Asked) -> None:
    asked(150)
    before = sums()
    db.session.execute(db.delete(LLMClientRequests))
    db.session.commit()
    [first] = {hour for _, hour in before}
    rebuild(account, first, first)
    assert sums() == before


def test_the_open_hour_is_left_alone(account: Account, asked: Asked) -> None:
    now = utc_now()
    assert rebuilding.last_closed(now) < hour_of(now) - 1


def test_hours_that_are_still_open_are_counted_when_they_are_closed(
    account: Account, asked: Asked
) -> None:
    hour = hour_of(jobs.utc_now())
    wish = RollupRebuild(
        first_hour=hour - 3, last_hour=hour, next_hour=hour - 3, next_attempt_at=utc_now()
    )
    db.session.add(wish)
    db.session.commit()
    jobs.rebuild_rollups(wish.id)
    db.session.refresh(wish)
    assert (wish.next_hour, wish.finished_at) == (hour - 1, None)
    assert wish.next_attempt_at == rebuilding.closes_at(hour - 1)


def test_a_wish_begins_with_the_oldest_request(account: Account, asked: Asked) -> None:
    asked(40)
    asked(2)
    now = jobs.utc_now()
    wish = rebuilding.wish(account.id, None, now)
    assert wish.first_hour == hour_of(NOW - timedelta(days=40))
    assert wish.last_hour == rebuilding.last_closed(now)
    since = NOW - timedelta(days=3)
    assert rebuilding.wish(account.id, since, now).first_hour == hour_of(since)


def test_a_wish_without_any_request_is_done_at_once(account: Account) -> None:
    wish = rebuilding.wish(account.id, None, jobs.utc_now())
    db.session.commit()
    jobs.rebuild_rollups(wish.id)
    db.session.refresh(wish)
    assert (wish.percent, wish.finished_at is None) == (100, False)


def test_the_command_counts_anew_what_somebody_spoilt(
    account: Account, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    write_some(asked)
    before = sums()
    db.session.execute(db.update(RequestRollup).values(answered=77, tokens_in=5))
    db.session.commit()
    assert sums() != before
    arguments = argparse.Namespace(account_number=account.account_number, since=None)
    assert rebuild_command.run(arguments, jobs.utc_now()) == 0
    assert sums() == before
    assert "hours are counted anew." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "since", "sentence"),
    [("0000-0000-0000", None, "There is no account"), (None, "yesterday", "is no day")],
)
def test_the_command_says_what_makes_no_sense(
    number: str | None, since: str | None, sentence: str, account: Account
) -> None:
    with pytest.raises(PortalError, match=sentence):
        rebuild_command.run(argparse.Namespace(account_number=number, since=since), NOW)


def test_the_page_shows_how_far_it_is(account: Account, asked: Asked, people: People) -> None:
    asked(2)
    alice = people.browser(people.alice)
    page = alice.follow(alice.post("/requests/keeping/count-anew"))
    assert "The hours of the charts are counted anew: 0%." in page.words
    alice.post("/requests/keeping/count-anew")
    assert len(db.session.scalars(db.select(RollupRebuild)).all()) == 1
    wish = db.session.scalars(db.select(RollupRebuild)).one()
    while wish.finished_at is None:
        jobs.rebuild_rollups(wish.id)
        db.session.refresh(wish)
    db.session.rollback()
    assert "are counted anew: " not in alice.get("/requests/keeping/").words
