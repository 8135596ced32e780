"""What a check means for the domain: stored in one transaction, twice with the same end."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from portal.custom_domains import cadence, holding, record_keeping
from portal.custom_domains.diagnosis import Diagnosis
from portal.custom_domains.hosts import announce_change
from portal.custom_domains.issuance import next_look_helps
from portal.custom_domains.looks import LIVE, SETTING_UP, SLOW
from portal.custom_domains.models import CustomDomainEvent, LLMClientCustomDomain
from portal.custom_domains.notices import Notices, announce_notice, note
from portal.custom_domains.observations import Question
from portal.custom_domains.ownership import Proof
from portal.custom_domains.questions import standing_of, wishes_of
from portal.custom_domains.results import CheckResult, Checks, Reasons, Verdicts
from portal.database import db

States = LLMClientCustomDomain.States
QUIET = timedelta(hours=1)  # a reason that comes and goes is told once in this time
SILENT = (Reasons.TIMEOUT, Reasons.CANNOT_TELL)
UNTOLD = (Reasons.WAITS_FOR_OTHERS, Reasons.NOT_DEPLOYED)


def store(
    custom_domain: LLMClientCustomDomain,
    question: Question,
    diagnosis: Diagnosis,
    now: datetime,
    chance: float,
) -> None:
    """Keep what was found, and draw the consequences. The claims of the name are locked."""
    if custom_domain.state in (States.REMOVING,):
        return
    is_wished_again = question.wished_at != wishes_of(custom_domain)
    results = diagnosis.results
    before = [CheckResult.from_json(values) for values in custom_domain.check_results]
    custom_domain.check_results = [result.as_json() for result in results]
    custom_domain.checked_at = now
    custom_domain.zone_name = diagnosis.zone or custom_domain.zone_name
    _tell(custom_domain, before, results, now)
    _weigh(custom_domain, question, diagnosis, now)
    lost_ways = _lost_ways(question, results)
    _warn_of(custom_domain, lost_ways, before, now)
    record_keeping.note_found(custom_domain, results, now)
    finish(custom_domain)
    _plan(custom_domain, diagnosis, now, chance)
    if custom_domain.is_verified and any(_was_right(before, one) for one in lost_ways):
        custom_domain.next_attempt_at = now + cadence.CONFIRM
    if is_wished_again:
        custom_domain.next_attempt_at = now
    announce_change(custom_domain, now)


def _lost_ways(question: Question, results: tuple[CheckResult, ...]) -> list[CheckResult]:
    """Hosts that visitors are to find and that lead elsewhere, by the servers' own words."""
    open_hosts = {host.host for host in question.hosts if host.is_open}
    return [
        one
        for one in results
        if one.check == Checks.ROUTING and one.definite and one.host in open_hosts
    ]


def _was_right(before: list[CheckResult], lost: CheckResult) -> bool:
    """Whether this is the first look at which the way is lost."""
    return not any(
        one.check == lost.check and one.host == lost.host and one.definite for one in before
    )


def _warn_of(
    custom_domain: LLMClientCustomDomain,
    lost_ways: list[CheckResult],
    before: list[CheckResult],
    now: datetime,
) -> None:
    """The second look in a row that finds a way lost is told, once a day."""
    confirmed = [one for one in lost_ways if not _was_right(before, one)]
    if not confirmed or not custom_domain.is_verified:
        return
    if not holding.told_lately(custom_domain, Notices.FAILING, now):
        first = confirmed[0]
        message = f"Visitors of {first.host} are not led to us any more. {first.sentence}"
        announce_notice(custom_domain, Notices.FAILING, message, now)


def finish(custom_domain: LLMClientCustomDomain) -> None:
    """Nobody has the domain in hand any more."""
    custom_domain.leased_until = None
    custom_domain.broken_off = 0


def _weigh(
    custom_domain: LLMClientCustomDomain, question: Question, diagnosis: Diagnosis, now: datetime
) -> None:
    """What the proof means: taken, kept, or one day nearer to its end."""
    if holding.is_closed(custom_domain):
        if custom_domain.is_verified:
            holding.lose(custom_domain, now, "Its account is closed.")
        return
    if diagnosis.proof == Proof.STANDS:
        if custom_domain.is_verified:
            holding.confirm(custom_domain, now)
        elif _is_still_asked(custom_domain, question):
            holding.take(custom_domain, now)
    elif diagnosis.proof == Proof.GONE and custom_domain.is_verified:
        holding.count_failure(custom_domain, question.hosts, now)


def _is_still_asked(custom_domain: LLMClientCustomDomain, question: Question) -> bool:
    """Whether the proof that was looked at is still the one that counts: parents may have moved."""
    standing = standing_of(custom_domain)
    return (
        custom_domain.verification_token == question.token
        and standing.ownership_at == question.ownership_at
        and standing.covered_by == question.covered_by
    )


def _plan(
    custom_domain: LLMClientCustomDomain, diagnosis: Diagnosis, now: datetime, chance: float
) -> None:
    """When the domain is looked at next, and how."""
    is_silent = any(one.reason in SILENT for one in diagnosis.results)
    custom_domain.step = SLOW if is_silent else SETTING_UP
    if custom_domain.attempt > 0:
        planned = cadence.next_failing_look(custom_domain.attempt, now, chance)
    elif custom_domain.is_verified and _is_settled(diagnosis):
        custom_domain.step = LIVE
        planned = cadence.next_live_look(now, chance)
    elif custom_domain.is_verified and diagnosis.proof == Proof.UNKNOWN:
        planned = now + cadence.UNSURE
    else:
        planned = _while_setting_up(custom_domain, now, chance)
    custom_domain.next_attempt_at = (
        None
        if custom_domain.state == States.PAUSED
        else cadence.hurried(planned, next_look_helps(now, diagnosis.results), now)
    )


def _while_setting_up(
    custom_domain: LLMClientCustomDomain, now: datetime, chance: float
) -> datetime:
    planned = cadence.next_look(custom_domain.watched_since or now, now)
    if planned is not None:
        return planned
    if custom_domain.is_verified:
        return cadence.next_live_look(now, chance)
    custom_domain.state = States.PAUSED
    message = (
        f"{custom_domain.domain_name} was looked at for 14 days in vain. Nothing is lost: press"
        " “Resume” when its records are there."
    )
    announce_notice(custom_domain, Notices.PAUSED, message, now)
    return now


def _is_settled(diagnosis: Diagnosis) -> bool:
    """Nothing to wait for: all is well, or nobody has deployed anything there."""
    idle = {one.host for one in diagnosis.results if one.reason == Reasons.NOT_DEPLOYED}
    return all(
        one.verdict == Verdicts.PASS or (one.host in idle and one.reason in UNTOLD)
        for one in diagnosis.results
    )


def _tell(
    custom_domain: LLMClientCustomDomain,
    before: list[CheckResult],
    results: tuple[CheckResult, ...],
    now: datetime,
) -> None:
    """A line of the timeline for each reason that is new, and one for a check that passes now."""
    known = {(one.check, one.host): one for one in before}
    told, lines = _told_lately(custom_domain, now), set[str]()
    for result in results:
        old = known.get((result.check, result.host))
        same = old is not None and (old.verdict, old.reason) == (result.verdict, result.reason)
        if same or result.reason in UNTOLD or (result.verdict, result.reason or "") in told:
            continue
        if custom_domain.is_verified and result.check in (Checks.EXISTS, Checks.OWNERSHIP):
            continue  # a live domain's proof is told by notices, which wait for a second look
        if result.verdict == Verdicts.PASS and old is None and not before:
            continue
        line = _line(result)
        if line not in lines:
            note(custom_domain, line, now, result=result)
        lines.add(line)


def _line(result: CheckResult) -> str:
    return f"{result.host}: {result.sentence}" if result.reason is None else result.sentence


def _told_lately(custom_domain: LLMClientCustomDomain, now: datetime) -> set[tuple[str, str]]:
    query = select(CustomDomainEvent.verdict, CustomDomainEvent.reason).where(
        CustomDomainEvent.custom_domain_id == custom_domain.id,
        CustomDomainEvent.created_at > now - QUIET,
        CustomDomainEvent.verdict != Verdicts.PASS,
    )
    return {(verdict, reason) for verdict, reason in db.session.execute(query)}
