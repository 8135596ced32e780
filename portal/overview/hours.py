"""The hours of a client that stand out in a range: most asked, most unanswered, slow, quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import url_for

from portal.charts import DURATION
from portal.formatting import number, plural
from portal.overview.scope import Scope
from portal.request_history.local_time import HOUR, day_and_clock, in_address
from portal.request_history.time_range import TimeRange
from portal.usage import summing
from portal.usage.series import of_client
from portal.usage.summing import Counts

FEWEST_REQUESTS = 5
SHORTEST = timedelta(hours=3)


@dataclass(frozen=True)
class HourLine:
    """One hour: what it stands out by, when, where its requests are, and its numbers."""

    label: str
    when: str
    url: str
    numbers: str


def of(scope: Scope, span: TimeRange) -> list[HourLine]:
    """None of a range of a few hours, and none of a client that was hardly asked."""
    if scope.llm_client is None or span.length < SHORTEST:
        return []
    number_of_series = of_client(scope.account.id, scope.llm_client.id).id
    return [
        _line(label, hour, scope, span)
        for label, hour in standing_out(summing.counts(number_of_series, span.start, span.end))
    ]


def standing_out(hours: Sequence[Counts]) -> list[tuple[str, Counts]]:
    """Of hours with as many requests as tell something; the earlier of two alike."""
    telling = [hour for hour in hours if hour.requests >= FEWEST_REQUESTS]
    if not telling:
        return []
    found = [("Most requests", max(telling, key=lambda hour: hour.requests))]
    worst = max(telling, key=lambda hour: hour.unanswered)
    if worst.unanswered:
        found.append(("Most without an answer", worst))
    timed = [hour for hour in telling if hour.average_ms]
    if len(timed) > 1:
        found.append(("Slowest answers", max(timed, key=lambda hour: hour.average_ms)))
        found.append(("Quickest answers", min(timed, key=lambda hour: hour.average_ms)))
    return found


def _line(label: str, hour: Counts, scope: Scope, span: TimeRange) -> HourLine:
    address = {
        "from": in_address(hour.start, span.zone),
        "to": in_address(hour.start + HOUR, span.zone),
        **scope.kept,
    }
    numbers = f"{plural(hour.requests, 'request', 'requests')}, "
    numbers += f"{number(hour.unanswered)} not answered" if hour.unanswered else "all answered"
    if hour.average_ms:
        numbers += f", {DURATION.in_words(hour.average_ms)} on average"
    when = day_and_clock(hour.start, span.zone)
    return HourLine(label, when, url_for("request_history.index", **address), numbers)
