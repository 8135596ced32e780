"""Time ranges of the pages, in the account's zone: named ones, what a person typed, the one before.

A list filtered by a range and the sums drawn above it agree: from two hours on both borders are
full hours of UTC, of which sums are kept. Shorter ones go by the minute, and are drawn from rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.request_history.local_time import (
    DAY,
    HOUR,
    MINUTE,
    clock,
    day_start,
    hour_of,
    minute_of,
    moment_of,
    next_hour,
    today,
)
from portal.request_history.time_range import CUSTOM, TimeRange

NAMES = {
    "1h": "Last hour",
    "24h": "Last 24 hours",
    "48h": "Last 48 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
}
# What a page offers to choose from.
CHOICES = (*NAMES.items(), (CUSTOM, "Custom…"))
DEFAULT = "7d"
LONGEST = timedelta(days=400)
BY_THE_MINUTE_UP_TO = 2 * HOUR
YEARS = range(2000, 2101)
LONGEST_TEXT = 40
TYPED = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<clock>[0-9]{2}:[0-9]{2})(?P<offset>Z|[ +-][0-9]{2}:[0-9]{2})?)?"
)


def parse(values: Mapping[str, str], zone: ZoneInfo, now: datetime) -> TimeRange:
    """The range that `range`, or `from` and `to`, of an address mean; never raises.

    A known `range` counts more than `from` and `to`, which a form sends along. Without any of
    the three, and for what makes no sense, it is the last 7 days.
    """
    name, typed_from, typed_to = (values.get(key, "").strip() for key in ("range", "from", "to"))
    if name in NAMES:
        return named(name, zone, now)
    if name and name != CUSTOM:
        problem = f"There is no time range called “{name[:LONGEST_TEXT]}”."
        return _default(problem, zone, now)
    if not typed_from and not typed_to:
        return named(DEFAULT, zone, now)
    found = _custom(typed_from, typed_to, zone, now)
    shown = _default(found, zone, now) if isinstance(found, str) else found
    return replace(shown, typed_from=typed_from[:LONGEST_TEXT], typed_to=typed_to[:LONGEST_TEXT])


def _default(problem: str, zone: ZoneInfo, now: datetime) -> TimeRange:
    return replace(named(DEFAULT, zone, now), problem=f"{problem} These are the last 7 days.")


def named(name: str, zone: ZoneInfo, now: datetime) -> TimeRange:
    """One of NAMES: whole local days with today, full hours or minutes with the present one."""
    count = int(name[:-1])
    if name.endswith("d"):
        last = today(now, zone)
        return _of_days(name, last - (count - 1) * DAY, last, NAMES[name], zone)
    if name == "1h":
        end = minute_of(now) + MINUTE
        return TimeRange(name, end - HOUR, end, NAMES[name], zone)
    end = hour_of(now) + HOUR
    return TimeRange(name, end - count * HOUR, end, NAMES[name], zone)


def _of_days(name: str, first: date, last: date, label: str, zone: ZoneInfo) -> TimeRange:
    start, end = day_start(first, zone), day_start(last + DAY, zone)
    note = ""
    if start != moment_of(datetime(first.year, first.month, first.day), zone):  # noqa: DTZ001
        note = (
            "Sums are kept by full hours of UTC, "
            f"so a day is counted from {start.astimezone(zone):%H:%M} here."
        )
    return TimeRange(name, start, end, label, zone, days=(last - first).days + 1, note=note)


def _custom(typed_from: str, typed_to: str, zone: ZoneInfo, now: datetime) -> TimeRange | str:
    """The range between two typed times, or the sentence that says what is wrong with them."""
    if not typed_from:
        return "A range needs a first day or time."
    first = _read(typed_from)
    last = _read(typed_to) if typed_to else hour_of(now) + HOUR
    if first is None or last is None:
        return "A day is written like 2026-10-25, a time like 2026-10-25T14:30."
    start, end = _begin(first, zone), _end(last, zone)
    if end <= start:
        return "The range ends before it begins."
    if end - start > LONGEST + 2 * HOUR:  # clocks may change
        return f"A range is at most {LONGEST.days} days long."
    if start > now:
        return "That time has not come yet."
    if not isinstance(first, datetime) and not isinstance(last, datetime):
        return _of_days(CUSTOM, first, last, _days_label(first, last), zone)
    return _of_times(start, end, zone)


def _of_times(start: datetime, end: datetime, zone: ZoneInfo) -> TimeRange:
    """To the minute, or widened to full hours where only hourly sums can draw it."""
    first, after = start.astimezone(zone).date(), end.astimezone(zone).date()
    if (start, end) == (day_start(first, zone), day_start(after, zone)):
        return _of_days(CUSTOM, first, after - DAY, _days_label(first, after - DAY), zone)
    wide_start, wide_end, note = start, end, ""
    if end - start > BY_THE_MINUTE_UP_TO:
        wide_start, wide_end = hour_of(start), next_hour(end)
    if (wide_start, wide_end) != (start, end):
        note = "Widened to full hours, as sums are kept by the hour."
    return TimeRange(
        CUSTOM, wide_start, wide_end, _times_label(wide_start, wide_end, zone), zone, note=note
    )


def _read(text: str) -> datetime | date | None:
    """A local day, a local time, or one with its offset; None for anything else."""
    found = TYPED.fullmatch(text[: LONGEST_TEXT + 1])
    if not found or int(found["day"][:4]) not in YEARS:
        return None
    # A plus in an address that nobody encoded arrives as a space.
    offset = (found["offset"] or "").replace(" ", "+")
    try:
        if found["clock"] is None:
            return date.fromisoformat(found["day"])
        return datetime.fromisoformat(f"{found['day']}T{found['clock']}{offset}")
    except ValueError:
        return None


def _begin(typed: datetime | date, zone: ZoneInfo) -> datetime:
    if not isinstance(typed, datetime):
        return day_start(typed, zone)
    return typed.astimezone(UTC) if typed.tzinfo else moment_of(typed, zone)


def _end(typed: datetime | date, zone: ZoneInfo) -> datetime:
    if not isinstance(typed, datetime):
        return day_start(typed + DAY, zone)
    return typed.astimezone(UTC) if typed.tzinfo else moment_of(typed, zone, last=True)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _days_label(first: date, last: date) -> str:
    return _day(first) if first == last else f"{_day(first)} to {_day(last)}"


def _times_label(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    first, last = start.astimezone(zone), end.astimezone(zone)
    if first.date() == last.date():
        return f"{_day(first)}, {clock(start, zone)} to {clock(end, zone)}"
    return f"{_day(first)}, {clock(start, zone)} to {_day(last)}, {clock(end, zone)}"
