"""How a domain stands at a moment: the one value behind the checks that three pages show."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.custom_domains import names, records, words
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.results import Checks
from portal.custom_domains.words import CheckLine, Finding
from portal.formatting import READY, StatusView

States = LLMClientCustomDomain.States
YOUNG, WATCHED_FOR = timedelta(minutes=15), timedelta(days=14)
ASKED_MS, YOUNG_MS, OLD_MS = 1_000, 3_000, 15_000
OF_THE_DOMAIN = (Checks.EXISTS, Checks.OWNERSHIP)
# A check that was asked for and did not come: no reason to ask the page each second for ever.
ASKED_FOR = timedelta(minutes=2)


@dataclass(frozen=True)
class Links:
    """Where the buttons of the checks lead; empty where the reader may not press them."""

    check_url: str = ""
    resume_url: str = ""
    back_url: str = ""
    refresh_url: str = ""


@dataclass(frozen=True)
class Standing:
    """Status, reason, the worst finding, the five checks, and when we look next."""

    domain_name: str
    dns_zone: str
    status: StatusView
    reason: str
    worst: Finding | None
    checks: tuple[CheckLine, ...]
    passed: int
    checked_at: datetime | None
    next_look_at: datetime | None
    pace: str
    is_asked: bool
    is_paused: bool
    is_at_risk: bool
    failing_since: datetime | None
    worker_is_alive: bool
    worker_sentence: str
    poll_after_ms: int | None
    links: Links


def standing_of(
    custom_domain: LLMClientCustomDomain,
    now: datetime,
    zone: str,
    worker: tuple[bool, str],
    links: Links,
    hosts: Collection[str] | None = None,
) -> Standing:
    """`zone`: the time zone of the sentences; `worker`: whether one is alive, and its sentence.

    With `hosts` only these count, as on the page of one of many clients.
    """
    results = tuple(
        result
        for result in words.results_of(custom_domain)
        if hosts is None or result.check in OF_THE_DOMAIN or result.host in hosts
    )
    status, reason = words.status_of(custom_domain, results)
    worst = words.worst_of(results)
    checks = words.check_lines(results)
    return Standing(
        domain_name=names.unicode_form(custom_domain.domain_name),
        dns_zone=names.unicode_form(
            records.zone_guess(custom_domain.domain_name, custom_domain.zone_name)
        ),
        status=status,
        reason=reason,
        worst=words.finding_of(worst) if worst else None,
        checks=checks,
        passed=sum(line.status.token == READY.token for line in checks),
        checked_at=custom_domain.checked_at,
        next_look_at=custom_domain.next_attempt_at,
        pace=pace(custom_domain, now, zone),
        is_asked=is_asked(custom_domain, now),
        is_paused=custom_domain.state == States.PAUSED,
        is_at_risk=custom_domain.state == States.AT_RISK,
        failing_since=custom_domain.failing_since,
        worker_is_alive=worker[0],
        worker_sentence=worker[1],
        poll_after_ms=poll_after(custom_domain, now),
        links=links,
    )


def is_asked(custom_domain: LLMClientCustomDomain, now: datetime) -> bool:
    """Whether somebody pressed Check now and the answer is not here yet."""
    asked, checked = custom_domain.check_asked_at, custom_domain.checked_at
    if asked is None or now - asked > ASKED_FOR:
        return False
    return checked is None or checked < asked


def poll_after(custom_domain: LLMClientCustomDomain, now: datetime) -> int | None:
    """Milliseconds to the next question of an open page; None where nothing changes soon."""
    if is_asked(custom_domain, now):
        return ASKED_MS
    if custom_domain.state == States.REMOVING:
        return YOUNG_MS
    next_look = custom_domain.next_attempt_at
    if next_look is None or next_look - now > YOUNG:
        return None
    is_young = now - (custom_domain.watched_since or now) < YOUNG
    return YOUNG_MS if is_young else OLD_MS


def pace(custom_domain: LLMClientCustomDomain, now: datetime, zone: str) -> str:
    """How often we look, in a sentence with the times of the account's wall."""
    if custom_domain.state == States.PAUSED:
        return "We looked for 14 days and have stopped. Resume, and we look again at once."
    if custom_domain.state == States.REMOVING:
        return "We take its hosts down and withdraw what we published."
    next_look = custom_domain.next_attempt_at
    if custom_domain.is_verified and (next_look is None or next_look - now > YOUNG):
        return "We look every six hours for as long as the domain is in use."
    since = custom_domain.watched_since or now
    young_until, until = since + YOUNG, (since + WATCHED_FOR).astimezone(ZoneInfo(zone))
    end = f"until {until.day} {until:%B}"
    if now < young_until:
        wall = young_until.astimezone(ZoneInfo(zone))
        return f"Each minute until {wall:%H:%M}, then less and less often {end}."
    return f"Less and less often {end}, at least every four hours."
