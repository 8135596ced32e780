"""From what was observed to the five rows of the page. Pure; the clock is given.

Checks 1 and 2 are about the domain, checks 3 to 5 about each client's host on it. All five are
always there: one that cannot be looked at yet says what it waits for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from portal.custom_domains import troubles
from portal.custom_domains.issuance import check_https, check_issuable
from portal.custom_domains.observations import Observations, Question
from portal.custom_domains.ownership import Proof, check_existence, check_ownership, proof_of
from portal.custom_domains.reasons import failed
from portal.custom_domains.results import Acts, CheckResult, Checks, Reasons, Verdicts
from portal.custom_domains.routing import check_routing

WE_PUBLISH = "We publish it and look again; nobody has to act."
PER_HOST = (Checks.ROUTING, Checks.ISSUABLE, Checks.HTTPS)


@dataclass(frozen=True)
class Diagnosis:
    """The rows, in the order of the page, and what they mean for the claim."""

    results: tuple[CheckResult, ...]
    proof: Proof
    zone: str = ""

    @property
    def all_pass(self) -> bool:
        """Whether there is nothing left to do or to wait for."""
        return all(result.verdict == Verdicts.PASS for result in self.results)

    @property
    def reasons(self) -> frozenset[tuple[str, str, str]]:
        """What a timeline tells apart: check, host and reason of each row that does not pass."""
        return reasons_of(self.results)


def reasons_of(results: tuple[CheckResult, ...]) -> frozenset[tuple[str, str, str]]:
    """Check, host and reason of each row that does not pass."""
    return frozenset((one.check, one.host, one.reason or "") for one in results if one.reason)


def diagnose(question: Question, observed: Observations, now: datetime) -> Diagnosis:
    """Judge one round of observations."""
    exists = check_existence(question, observed)
    ownership = check_ownership(question, observed, now)
    results = [exists, ownership]
    for seen in observed.hosts:
        routing = check_routing(question, seen, now)
        before = (exists, ownership, routing)
        issuable = check_issuable(question, seen, before, now)
        results += [routing, issuable, check_https(question, seen, (*before, issuable))]
    if not observed.hosts:
        results += _rows_without_looks(question, observed, exists)
    if question.we_publish and not question.editor_trouble:
        results = [_without_work(result) for result in results]
    dated = tuple(replace(result, checked_at=now) for result in results)
    return Diagnosis(dated, proof_of(question, observed), observed.delegation.zone)


def _without_work(result: CheckResult) -> CheckResult:
    """A record that is missing is our own affair where we publish it."""
    if result.reason != Reasons.MISSING_AT_AUTHORITY:
        return result
    return replace(result, verdict=Verdicts.WAIT, who_acts=Acts.NOBODY, fix=WE_PUBLISH)


def _rows_without_looks(
    question: Question, observed: Observations, exists: CheckResult
) -> list[CheckResult]:
    """No host was looked at: there is none, or the zone itself cannot be asked."""
    hosts = [one.host for one in question.hosts] or [question.domain]
    rows: list[CheckResult] = []
    for host in hosts:
        if not question.hosts:
            routing = failed(Checks.ROUTING, host, Reasons.NOT_DEPLOYED)
        elif observed.delegation.status == "could_not_ask":
            routing = troubles.zone_could_not_be_asked(Checks.ROUTING, host, observed.delegation)
        else:
            routing = _waiting(Checks.ROUTING, host, "check 1 passes")
        rows += [
            routing,
            _waiting(Checks.ISSUABLE, host, "check 3 passes"),
            _waiting(Checks.HTTPS, host, "check 3 passes"),
        ]
    return rows


def _waiting(check: Checks, host: str, others: str) -> CheckResult:
    return failed(check, host, Reasons.WAITS_FOR_OTHERS, others=others)
