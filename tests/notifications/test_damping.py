"""What flaps is told three times in an hour, then gathered into one notice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine

from portal.database import db
from portal.notices import damping
from portal.notifications import jobs
from tests.notifications.conftest import NOON, Tell, mails, notices
from tests.people import People

MINUTE = timedelta(minutes=1)
KEY = "domain/7"


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], None),
        ([(NOON, 0)], None),
        ([(NOON, 0), (NOON + MINUTE, 0)], None),
        ([(NOON, 0), (NOON + MINUTE, 0), (NOON + 2 * MINUTE, 0)], NOON + damping.WINDOW),
        ([(NOON, 7)], NOON + damping.WINDOW),
        ([(NOON, 0), (NOON + MINUTE, 1)], NOON + MINUTE + damping.WINDOW),
    ],
)
def test_three_are_told_and_then_the_hour_is_waited_for(
    told: list[tuple[datetime, int]], expected: datetime | None
) -> None:
    assert damping.end_of_holding(told) == expected


def flap(told: Tell, times: int, start: datetime = NOON) -> None:
    for number in range(times):
        told(start + number * MINUTE, damping_key=KEY, subject=f"Change {number + 1}")


def test_later_ones_are_told_together_with_how_often_it_changed(
    told: Tell, time_machine: time_machine.TimeMachineFixture
) -> None:
    flap(told, 10)
    assert [mail.subject for mail in mails()] == ["Change 1", "Change 2", "Change 3"]
    assert list(jobs.held_notices(NOON + 59 * MINUTE)) == []
    time_machine.move_to(NOON + damping.WINDOW + MINUTE, tick=False)
    rings = list(jobs.held_notices(NOON + damping.WINDOW))
    for ring in rings * 2:
        jobs.tell_gathered(*ring.arguments)
    assert [mail.subject for mail in mails()][3:] == [
        "lakeside.example changed 7 times in the last hour"
    ]
    assert "The last change: Change 10." in mails()[-1].text
    assert [notice.gathered for notice in notices()] == [0, 0, 0, 7]


def test_while_it_goes_on_one_notice_an_hour_is_told(
    told: Tell, time_machine: time_machine.TimeMachineFixture
) -> None:
    for minute in range(0, 240, 5):
        now = NOON + minute * MINUTE
        time_machine.move_to(now, tick=False)
        for ring in list(jobs.held_notices(now)):
            jobs.tell_gathered(*ring.arguments)
        told(now, damping_key=KEY)
    assert len(mails()) == 3 + 3


def test_one_that_was_held_alone_is_told_as_it_is(
    told: Tell, time_machine: time_machine.TimeMachineFixture
) -> None:
    flap(told, 4)
    time_machine.move_to(NOON + damping.WINDOW, tick=False)
    [ring] = jobs.held_notices(NOON + damping.WINDOW)
    jobs.tell_gathered(*ring.arguments)
    assert mails()[-1].subject == "Change 4"


def test_what_is_held_is_seen_by_nobody_yet(told: Tell, people: People) -> None:
    flap(told, 4)
    words = people.browser(people.alice).get("/notifications/").words
    assert "Change 3" in words
    assert "Change 4" not in words


def test_other_objects_and_other_accounts_are_counted_apart(told: Tell, people: People) -> None:
    flap(told, 3)
    assert damping.held_until(people.alice.account_id, "domain/8", NOON) is None
    assert damping.held_until(people.charlie.account_id, KEY, NOON) is None
    assert damping.held_until(people.alice.account_id, KEY, NOON) == NOON + damping.WINDOW


def test_a_job_that_is_killed_before_its_commit_leaves_them_held(
    told: Tell, time_machine: time_machine.TimeMachineFixture
) -> None:
    flap(told, 5)
    time_machine.move_to(NOON + damping.WINDOW, tick=False)
    held = next(notice for notice in notices() if notice.held_until)
    damping.take_held(held)
    db.session.rollback()
    assert len([notice for notice in notices() if notice.held_until]) == 2
    for ring in list(jobs.held_notices(NOON + damping.WINDOW)):
        jobs.tell_gathered(*ring.arguments)
    assert "changed 2 times" in mails()[-1].subject
