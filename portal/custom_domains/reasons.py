"""A check's result from its reason: the words filled in, and what strangers wrote kept short."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from portal.custom_domains.reason_words import words_of
from portal.custom_domains.results import CheckResult, Checks, Reasons, Verdicts

LONGEST_VALUE, LONGEST_DETAIL, MOST_FOUND = 300, 2000, 20  # strangers' servers write these


def passed(
    check: Checks,
    host: str,
    sentence: str,
    *,
    expected: str = "",
    found: tuple[str, ...] = (),
    source: str = "",
    detail: str = "",
) -> CheckResult:
    """The row of a check that has nothing to complain about."""
    return CheckResult(
        check,
        host,
        Verdicts.PASS,
        sentence,
        expected=expected,
        found=_bounded(found),
        source=source[:LONGEST_DETAIL],
        detail=detail[:LONGEST_DETAIL],
    )


def failed(
    check: Checks,
    host: str,
    reason: Reasons,
    *,
    expected: str = "",
    found: tuple[str, ...] = (),
    source: str = "",
    detail: str = "",
    clears_at: datetime | None = None,
    **values: Any,
) -> CheckResult:
    """The row of a check that does not pass, in the reason's words filled with `values`."""
    words = words_of(reason, check)
    given = {"name": host, "detail": detail, **values}
    filled = defaultdict(str, {name: str(value)[:LONGEST_VALUE] for name, value in given.items()})
    return CheckResult(
        check,
        host,
        words.verdict,
        " ".join(words.sentence.format_map(filled).split()),
        reason=reason,
        who_acts=words.who_acts,
        fix=" ".join(words.fix.format_map(filled).split()),
        expected=expected,
        found=_bounded(found),
        source=source[:LONGEST_DETAIL],
        detail=detail[:LONGEST_DETAIL],
        clears_at=clears_at,
    )


def _bounded(found: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one[:LONGEST_VALUE] for one in found[:MOST_FOUND])
