"""What checks do to a domain over days: nothing hasty, nothing for ever, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from portal.custom_domains import claims, notices, record_keeping
from portal.custom_domains.models import CustomDomainTombstone, LLMClientCustomDomain
from portal.custom_domains.notices import Notices, on_notice
from portal.custom_domains.questions import prepare
from portal.database import current_settings, db
from tests.custom_domains.laboratory import host
from tests.custom_domains.stories import NAME, START, Claims
from tests.sampling import some_short

States = LLMClientCustomDomain.States
OPEN = host(f"bot.{NAME}", is_open=True, chain_pem="-----BEGIN")


@pytest.fixture
def mails() -> Iterator[list[tuple[str, datetime]]]:
    """What the account's people were told, and when."""
    told: list[tuple[str, datetime]] = []

    def listen(domain: LLMClientCustomDomain, notice: Notices, message: str, now: datetime) -> None:
        assert message.endswith(".")
        told.append((notice.value, now))

    on_notice(listen)
    yield told
    notices._listeners.remove(listen)


def verified(story: Claims, *, in_use: bool = False) -> LLMClientCustomDomain:
    domain = story.add(story.account())
    if in_use:
        story.hosts[domain.id] = (OPEN,)
    story.publish(domain)
    story.look(domain)
    assert domain.is_verified
    return domain


def follow(story: Claims, domain: LLMClientCustomDomain, days: float) -> None:
    """Look whenever a look is due, for so many days."""
    end = story.now + timedelta(days=days)
    while domain.next_attempt_at is not None and domain.next_attempt_at <= end:
        story.now = domain.next_attempt_at
        story.look(domain)
    story.now = end


def test_a_domain_is_watched_until_its_record_comes(story: Claims) -> None:
    domain = story.add(story.account())
    story.look(domain)
    assert domain.next_attempt_at == START + timedelta(seconds=10)
    follow(story, domain, 1)
    assert domain.state == States.PENDING
    story.publish(domain)
    follow(story, domain, 4 / 24)
    assert domain.state == States.VERIFIED
    assert domain.verified_at is not None
    assert domain.step == "live"
    assert domain.next_attempt_at - domain.checked_at == timedelta(hours=6)


@pytest.mark.long
def test_after_two_weeks_it_is_paused_and_never_deleted(
    story: Claims, mails: list[tuple[str, datetime]]
) -> None:
    domain = story.add(story.account())
    story.look(domain)
    follow(story, domain, 20)
    assert (domain.state, domain.next_attempt_at) == (States.PAUSED, None)
    assert [notice for notice, _ in mails] == ["paused"]
    story.publish(domain)
    assert claims.ask_for_check(domain, story.now) == 0
    story.look(domain)
    assert domain.is_verified


@pytest.mark.long
def test_two_failures_are_told_and_seven_days_end_it(
    story: Claims, mails: list[tuple[str, datetime]]
) -> None:
    domain = verified(story)
    story.withdraw(domain)
    story.later(hours=6)
    failed_at = story.now
    story.look(domain)
    assert [notice for notice, _ in mails] == ["verified"]
    assert domain.next_attempt_at == story.now + timedelta(minutes=10)
    follow(story, domain, 6.9)
    assert domain.is_verified
    assert domain.state == States.VERIFIED
    days = [(at - failed_at).days for notice, at in mails if notice == "failing"]
    assert days == [0, 1, 3, 6]
    follow(story, domain, 0.5)
    assert not domain.is_verified
    assert mails[-1][0] == "lost"
    assert db.session.scalar(db.select(CustomDomainTombstone.domain_name)) == NAME


def test_a_domain_in_use_is_at_risk_and_goes_on(
    story: Claims, mails: list[tuple[str, datetime]]
) -> None:
    domain = verified(story, in_use=True)
    story.withdraw(domain)
    follow(story, domain, 12)
    assert domain.is_verified
    assert domain.state == States.AT_RISK
    assert [notice for notice, _ in mails].count("at_risk") == 1
    story.publish(domain)
    follow(story, domain, 1)
    assert domain.state == States.VERIFIED
    assert mails[-1][0] == "recovered"
    assert (domain.failing_since, domain.failure_count, domain.attempt) == (None, 0, 0)


def test_a_domain_at_risk_goes_to_whoever_proves_it(story: Claims) -> None:
    domain = verified(story, in_use=True)
    story.withdraw(domain)
    follow(story, domain, 9)
    other = story.account("Other")
    claim = story.add(other, claims_held=True)
    story.publish(claim)
    story.look(claim)
    assert story.holders() == [other.id]


@pytest.mark.long
def test_no_visitors_for_a_week_are_no_use(story: Claims) -> None:
    domain = verified(story, in_use=True)
    quiet = host(f"bot.{NAME}", is_open=True, chain_pem="-----BEGIN", last_request_at=story.now)
    story.hosts[domain.id] = (quiet,)
    story.withdraw(domain)
    follow(story, domain, 9)
    assert not domain.is_verified


@pytest.mark.long
def test_what_cannot_be_asked_demotes_nothing(
    story: Claims, mails: list[tuple[str, datetime]]
) -> None:
    domain = verified(story)
    story.resolver.silent = True
    follow(story, domain, 10)
    assert domain.is_verified
    assert domain.state == States.VERIFIED
    assert domain.failing_since is None
    assert domain.step == "slow"
    assert [notice for notice, _ in mails] == ["verified"]


def test_failures_with_silence_between_them_have_to_come_on_seven_days(story: Claims) -> None:
    domain = verified(story)
    story.withdraw(domain)
    for _ in range(10):
        story.look(domain)
    assert domain.failure_count == 1
    story.resolver.silent = True
    follow(story, domain, 8)
    story.resolver.silent = False
    story.look(domain)
    assert domain.is_verified
    assert domain.failure_count == 2


@pytest.mark.parametrize("looks", some_short([20, 90], one_in=2))
def test_a_record_that_flaps_changes_nothing(
    looks: int, story: Claims, mails: list[tuple[str, datetime]]
) -> None:
    domain = verified(story)
    lines = len(story.timeline(domain))
    for number in range(looks):
        story.later(seconds=40)
        (story.withdraw if number % 2 else story.publish)(domain)
        story.look(domain)
        assert domain.state == States.VERIFIED
    assert [notice for notice, _ in mails] == ["verified"]
    assert len(story.timeline(domain)) == lines


@pytest.mark.long
def test_a_record_that_comes_and_goes_for_days_is_told_once_a_day(
    story: Claims, mails: list[tuple[str, datetime]]
) -> None:
    domain = verified(story)
    for number in range(72):
        story.later(hours=1)
        (story.withdraw if number % 4 < 2 else story.publish)(domain)
        story.look(domain)
    assert domain.state == States.VERIFIED
    told = [notice for notice, _ in mails]
    assert told.count("failing") <= 4
    assert told.count("recovered") <= 4


def test_a_way_that_is_lost_is_told_after_a_second_look(
    story: Claims, mails: list[tuple[str, datetime]]
) -> None:
    domain = verified(story, in_use=True)
    story.resolver.addresses = ("93.184.216.34",)
    story.later(hours=6)
    story.look(domain)
    assert [notice for notice, _ in mails] == ["verified"]
    assert domain.next_attempt_at == story.now + timedelta(minutes=10)
    story.later(minutes=10)
    story.look(domain)
    assert [notice for notice, _ in mails] == ["verified", "failing"]
    follow(story, domain, 0.9)
    assert [notice for notice, _ in mails] == ["verified", "failing"]
    assert domain.is_verified


def test_the_timeline_has_a_line_when_the_reason_changes(story: Claims) -> None:
    domain = story.add(story.account())
    for _ in range(5):
        story.look(domain)
        story.later(minutes=1)
    assert story.timeline(domain) == ["added", "missing_at_authority"]
    story.resolver.texts[f"_llm-verify.{NAME}"] = {f'"llm-verify={domain.verification_token}"'}
    story.look(domain)
    story.look(domain)
    assert story.timeline(domain)[2:] == ["mistyped_value"]
    story.resolver.texts.clear()
    story.publish(domain)
    story.look(domain)
    assert "verified" in story.timeline(domain)


def test_a_closed_account_is_not_served(story: Claims) -> None:
    domain = verified(story)
    domain.account.is_active = False
    db.session.commit()
    story.look(domain)
    assert not domain.is_verified
    story.look(domain)
    assert not domain.is_verified


def test_who_removes_a_domain_while_it_is_looked_at_wins(story: Claims) -> None:
    domain = story.add(story.account())
    story.publish(domain)
    domain.zone_editor = "rfc2136"
    prepare(domain, story.now, current_settings())
    record_keeping.note_published(domain, [(f"_llm-verify.{NAME}", "TXT")])
    db.session.commit()
    claims.remove(domain, story.now)
    story.look(domain)
    assert domain.state == States.REMOVING
    assert not domain.is_verified
