"""How a domain stands, in words: what, why, who acts, when we look next. Rows to values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.custom_domains.comparing import Part, difference, with_names
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.results import Acts, CheckResult, Checks, Reasons, Verdicts
from portal.custom_domains.titles import RECORD_WORDS, TITLES
from portal.formatting import OFF, StatusView, status_view

States = LLMClientCustomDomain.States
CHECK_TITLES = {
    Checks.EXISTS: "The domain exists and is delegated",
    Checks.OWNERSHIP: "Ownership: the TXT record",
    Checks.ROUTING: "Routing: the host points to us",
    Checks.ISSUABLE: "A certificate may be issued",
    Checks.HTTPS: "HTTPS answers with our certificate and this client",
}
WHO = {
    Acts.CUSTOMER: "The customer acts.",
    Acts.PLATFORM: "Whoever runs this portal acts.",
    Acts.NOBODY: "Nobody has to act.",
}
NOT_YET = status_view("off", "Not yet")
# Not a finding of its own: it waits for another row, or for somebody to press Deploy.
PATIENT = (Reasons.WAITS_FOR_OTHERS, Reasons.NOT_DEPLOYED)
_RANK = {
    (Verdicts.WRONG, Acts.CUSTOMER): 0,
    (Verdicts.WRONG, Acts.PLATFORM): 1,
    (Verdicts.WRONG, Acts.NOBODY): 2,
    (Verdicts.CANNOT_TELL, Acts.PLATFORM): 3,
    (Verdicts.CANNOT_TELL, Acts.NOBODY): 4,
    (Verdicts.WAIT, Acts.CUSTOMER): 5,
}


@dataclass(frozen=True)
class Finding:
    """One answer to one of the five questions, ready to draw."""

    check: Checks
    host: str
    title: str
    status: StatusView
    sentence: tuple[Part, ...]
    acts: str
    who: str
    fix: tuple[Part, ...]
    expected: tuple[Part, ...]
    found: tuple[tuple[Part, ...], ...]
    source: str
    detail: str
    clears_at: datetime | None
    passes: bool


@dataclass(frozen=True)
class CheckLine:
    """One of the five questions: its worst answer first, then those of the other hosts."""

    number: int
    title: str
    status: StatusView
    findings: tuple[Finding, ...]

    @property
    def passing(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.passes)

    @property
    def open(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.passes)


def results_of(custom_domain: LLMClientCustomDomain) -> tuple[CheckResult, ...]:
    """What the last check came to; nothing before the first."""
    return tuple(CheckResult.from_json(values) for values in custom_domain.check_results)


def look_of(result: CheckResult) -> StatusView:
    """The icon, colour and word of a verdict: who acts makes the colour."""
    if result.verdict == Verdicts.PASS:
        return status_view("ready", "Pass")
    if result.reason in PATIENT:
        return NOT_YET
    if result.verdict == Verdicts.CANNOT_TELL:
        return status_view("attention", "Cannot tell")
    if result.verdict == Verdicts.WAIT:
        token = "waiting" if result.who_acts == Acts.CUSTOMER else "progress"
        return status_view(token, "Waiting")
    tokens = {Acts.CUSTOMER: "waiting", Acts.PLATFORM: "failed", Acts.NOBODY: "attention"}
    return status_view(tokens[result.who_acts], "Wrong")


def finding_of(result: CheckResult) -> Finding:
    """A result as the page draws it."""
    compared = [difference(result.expected, found) for found in result.found]
    shows = result.verdict == Verdicts.WRONG and bool(result.expected)
    expected: tuple[Part, ...] = ()
    if shows:
        expected = compared[0][0] if len(compared) == 1 else (Part(result.expected),)
    passes = result.verdict == Verdicts.PASS
    return Finding(
        check=result.check,
        host=result.host,
        title=TITLES.get(result.reason, "") if result.reason else "",
        status=look_of(result),
        sentence=with_names(result.sentence),
        acts=result.who_acts.value,
        who=_who(result),
        fix=with_names(result.fix),
        expected=expected,
        found=tuple(parts for _, parts in compared) if shows else (),
        source=result.source,
        detail=result.detail,
        clears_at=result.clears_at,
        passes=passes,
    )


def _who(result: CheckResult) -> str:
    """Who acts, where the fix does not say it already: whoever reads this deploys."""
    is_said = result.fix.startswith(WHO[Acts.NOBODY][:-1])
    if result.verdict == Verdicts.PASS or is_said or result.reason == Reasons.NOT_DEPLOYED:
        return ""
    return WHO[result.who_acts]


def rank(result: CheckResult) -> tuple[int, int]:
    """Worst first: who has to act, then the order of the questions."""
    place = list(Checks).index(result.check)
    if result.verdict == Verdicts.PASS:
        return 9, place
    if result.reason in PATIENT:
        return 8, place
    return _RANK.get((result.verdict, result.who_acts), 6), place


def worst_of(results: Sequence[CheckResult]) -> CheckResult | None:
    """The finding that the page begins with; None where all pass or only wait for others."""
    found = min(results, key=rank, default=None)
    return found if found is not None and rank(found)[0] < 8 else None


def check_lines(results: Sequence[CheckResult]) -> tuple[CheckLine, ...]:
    """Always five."""
    lines = []
    for number, check in enumerate(Checks, start=1):
        own = sorted((r for r in results if r.check == check), key=rank)
        status = look_of(own[0]) if own else NOT_YET
        findings = tuple(finding_of(result) for result in own)
        lines.append(CheckLine(number, CHECK_TITLES[check], status, findings))
    return tuple(lines)


def status_of(
    custom_domain: LLMClientCustomDomain, results: Sequence[CheckResult]
) -> tuple[StatusView, str]:
    """The domain's own status, and its reason in a few words."""
    worst = worst_of(results)
    reason = _reason(worst)
    if custom_domain.state == States.REMOVING:
        return status_view("progress", "Being removed"), "Its hosts are taken down first"
    if custom_domain.state == States.PAUSED:
        return status_view("off", "Paused"), reason or "Nobody looks at it any more"
    if custom_domain.state == States.AT_RISK:
        return status_view("attention", "At risk"), reason or "It failed for seven days"
    if not results:
        return status_view("progress", "Checking"), "The first check is under way"
    if worst is None:
        return _without_a_fault(custom_domain, results)
    look = look_of(worst)
    word = {
        "waiting": "Waiting on customer",
        "progress": "Checking",
        "failed": "Failed",
        "attention": "Attention",
    }
    return status_view(look.token, word[look.token]), reason


def _reason(worst: CheckResult | None) -> str:
    if worst is None:
        return ""
    return TITLES.get(worst.reason, worst.sentence) if worst.reason else worst.sentence


def _without_a_fault(
    custom_domain: LLMClientCustomDomain, results: Sequence[CheckResult]
) -> tuple[StatusView, str]:
    if not custom_domain.is_verified:
        return status_view("progress", "Checking"), "Waiting for the other checks"
    https = [result for result in results if result.check == Checks.HTTPS]
    if https and all(result.verdict == Verdicts.PASS for result in https):
        return status_view("ready", "Live"), "All five checks pass"
    if any(result.reason == Reasons.NOT_DEPLOYED for result in results):
        return status_view("ready", "Verified"), "Deploy a client to open its host"
    return status_view("ready", "Verified"), "It is yours; attach a client"


def record_word(
    result: CheckResult | None,
    wanted: Sequence[str],
    found: Sequence[str] | None,
    *,
    is_required: bool,
) -> StatusView:
    """What the last column of the records says of one record; `found` None: nobody looked."""
    if found is None and not is_required:
        return OPTIONAL
    found = found or ()
    if result is None or result.reason in PATIENT:
        if set(wanted) <= set(found):
            return status_view("ready", "Correct")
        if is_required:
            return status_view("progress", "Not checked yet")
        return status_view("attention", "Other value") if found else NOT_PUBLISHED
    if result.verdict == Verdicts.PASS:
        is_there = is_required or set(wanted) <= set(found)
        return status_view("ready", "Correct") if is_there else NOT_NEEDED
    look = look_of(result)
    word = RECORD_WORDS.get(result.reason, look.word) if result.reason else look.word
    return status_view(look.token, word)


OPTIONAL = status_view(OFF.token, "Optional")
NOT_PUBLISHED = status_view(OFF.token, "Not published")
NOT_NEEDED = status_view(OFF.token, "Not needed")
