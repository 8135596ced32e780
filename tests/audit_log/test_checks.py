"""The portal looks at its chains by itself, says what it saw, and tells superusers once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.accounts.models import User
from portal.audit_log import checks
from portal.audit_log.check_jobs import begin_check, check_chain, due_checks, unchecked_chains
from portal.audit_log.models import AuditCheck
from portal.audit_log.verifying import Found
from portal.database import db, declare_writes, utc_now
from portal.notices.models import Notice
from tests.audit_log.conftest import Seal, Write
from tests.people import People

ByHand = Callable[[str], None]


@pytest.fixture
def looked(people: People, write: Write, seal: Seal) -> Callable[[], AuditCheck]:
    """Do what worker and clock do of the chain of Alice's account."""

    def look() -> AuditCheck:
        declare_writes(True)
        now = utc_now() + timedelta(days=1)
        for ring in unchecked_chains(now):
            begin_check(*ring.arguments)
        check = checks.of_chain(people.alice.account_id)
        assert check is not None
        check.next_attempt_at = utc_now()
        db.session.commit()
        assert [ring.arguments for ring in due_checks(utc_now())] == [(check.id,)]
        check_chain(check.id)
        db.session.refresh(check)
        return check

    for _ in range(3):
        write()
    seal()
    return look


def make_superuser(people: People) -> None:
    user = db.session.get_one(User, people.charlie.user_id)
    user.is_superuser, user.email = True, "charlie@example.com"
    db.session.commit()


def notices() -> list[Notice]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Notice).order_by(Notice.id)))


def test_what_is_in_order_says_when_it_was_looked_at(
    people: People, looked: Callable[[], AuditCheck]
) -> None:
    alice = people.browser(people.alice)
    assert "has not looked yet" in alice.get("/system/").words
    assert not looked().problem
    db.session.rollback()
    assert "none altered, none missing" in alice.get("/audit/").words
    section = alice.get("/system/").find("section[aria-labelledby=section-1]")
    assert "In order" in section.get_text()
    assert section.select_one("time[datetime]")
    assert notices() == []


def test_an_altered_event_is_told_once_and_shown_until_it_is_looked_into(
    people: People, looked: Callable[[], AuditCheck], by_hand: ByHand
) -> None:
    make_superuser(people)
    by_hand("UPDATE audit_events SET object_name = 'x' WHERE sequence = 2")
    first_at = looked().problem_at
    assert looked().problem_at == first_at
    [notice] = notices()
    assert (notice.user_id, notice.account_id) == (
        people.charlie.user_id,
        people.charlie.account_id,
    )
    assert notice.subject.startswith("The audit log is not as the portal wrote it: Account ")
    assert "Event 2 (number 2, changed" in notice.text
    db.session.rollback()
    alice, charlie = people.browser(people.alice), people.browser(people.charlie)
    page = alice.get("/audit/")
    assert "This log is not as the portal wrote it." in page.words
    assert "Event 2 (number 2" in page.words
    assert "Altered" in alice.get("/system/").words
    assert "Birkenhof Media" in charlie.get("/system/").words
    db.session.rollback()
    declare_writes(True)
    checks.begin_again(people.alice.account_id, utc_now())
    db.session.commit()
    assert "not as the portal wrote it" not in alice.get("/audit/").words


def test_nobody_sees_what_was_found_in_another_account(
    people: People, looked: Callable[[], AuditCheck], by_hand: ByHand
) -> None:
    by_hand("UPDATE audit_events SET object_name = 'x' WHERE sequence = 2")
    looked()
    db.session.rollback()
    words = people.browser(people.charlie).get("/system/").words
    assert "Altered" not in words
    assert "Birkenhof" not in words


def test_what_somebody_finds_on_the_page_counts_as_seen(
    people: People, looked: Callable[[], AuditCheck], by_hand: ByHand
) -> None:
    looked()
    make_superuser(people)
    by_hand("DELETE FROM audit_events WHERE sequence = 2")
    people.browser(people.alice).post("/audit/check")
    [notice] = notices()
    assert "Event 2" in notice.text


def test_a_round_goes_on_where_it_was_broken_off(
    people: People, looked: Callable[[], AuditCheck]
) -> None:
    check, now = looked(), utc_now()
    checks.record(check, Found(last=2, newest=3), now)
    assert (check.checked_to, check.next_attempt_at) == (2, now)
    db.session.commit()
    check_chain(check.id)
    db.session.refresh(check)
    assert (check.checked_to, check.problem) == (0, "")
    assert check.next_attempt_at is not None
    assert check.next_attempt_at - now > checks.EVERY - timedelta(minutes=1)
