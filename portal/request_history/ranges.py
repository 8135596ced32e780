"""Time ranges of the pages, in the account's zone: named ones, what a person typed, the one before.

A list filtered by a range and the sums drawn above it agree: from two hours on both borders are
full hours of UTC, of which sums are kept. Shorter ones go by the minute, and are drawn from rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from portal.request_history import stretches
from portal.request_history.local_time import (
    DAY,
    HOUR,
    MINUTE,
    day_start,
    hour_of,
    in_address,
    minute_of,
    moment_of,
    next_hour,
    today,
)
from portal.request_history.stretches import Stretch, Width

NAMES = {
    "1h": "Last hour",
    "24h": "Last 24 hours",
    "48h": "Last 48 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
}
CUSTOM, DEFAULT = "custom", "7d"
WIDTHS = {
    "1h": Width.FIVE_MINUTES,
    "24h": Width.HOUR,
    "48h": Width.HOUR,
    "7d": Width.SIX_HOURS,
    "30d": Width.DAY,
    "90d": Width.DAY,
}
LONGEST = timedelta(days=400)
BY_THE_MINUTE_UP_TO = 2 * HOUR
YEARS = range(2000, 2101)
LONGEST_TEXT = 40
TYPED = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<clock>[0-9]{2}:[0-9]{2})(?P<offset>Z|[ +-][0-9]{2}:[0-9]{2})?)?"
)


@dataclass(frozen=True)
class TimeRange:
    """A stretch of time (aware UTC, end exclusive), its words, and what was wrong with the asking.

    `days` is the number of local days, 0 where it is not made of whole ones. `problem` is a
    sentence for the page when what was asked for made no sense and the default is shown;
    `note` one when the borders are not those that were typed."""

    name: str
    start: datetime
    end: datetime
    label: str
    zone: ZoneInfo
    days: int = 0
    problem: str = ""
    note: str = ""
    typed_from: str = ""
    typed_to: str = ""

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def width(self) -> Width:
        """How long the stretches of its charts are."""
        return WIDTHS.get(self.name) or stretches.fitting_width(self.length)

    @property
    def by_the_minute(self) -> bool:
        """Whether its charts are finer than the hourly sums: they are drawn from rows."""
        return self.width in stretches.BY_THE_MINUTE

    @property
    def on_full_hours(self) -> bool:
        """Whether hourly sums add up to exactly this range."""
        return self.start == hour_of(self.start) and self.end == hour_of(self.end)

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """The bars or points of its charts."""
        return stretches.stretches(self.start, self.end, self.zone, self.width)

    @cached_property
    def hours(self) -> tuple[Stretch, ...]:
        """One stretch an hour, for fine lines; the last may be shorter."""
        return stretches.stretches(self.start, self.end, self.zone, Width.HOUR)

    def borders(self) -> tuple[datetime, ...]:
        """Where its stretches begin, and its end; see `stretches.index_of`."""
        return (*(stretch.start for stretch in self.stretches), self.end)

    @property
    def previous(self) -> TimeRange:
        """What was before: as many local days, or else as many minutes."""
        start = self.start - self.length
        if self.days:
            start = day_start(self.start.astimezone(self.zone).date() - self.days * DAY, self.zone)
        return TimeRange(
            name=self.name,
            start=start,
            end=self.start,
            label=_label_before(self),
            zone=self.zone,
            days=self.days,
        )

    @property
    def query(self) -> dict[str, str]:
        """What an address says to mean this range."""
        if self.name != CUSTOM:
            return {"range": self.name}
        if self.days:
            first = self.start.astimezone(self.zone).date()
            last = first + (self.days - 1) * DAY
            return {"from": first.isoformat(), "to": last.isoformat()}
        return {"from": in_address(self.start, self.zone), "to": in_address(self.end, self.zone)}


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
    elif not typed_from and not typed_to:
        return named(DEFAULT, zone, now)
    else:
        found = _custom(typed_from, typed_to, zone, now)
        typed = {"typed_from": typed_from[:LONGEST_TEXT], "typed_to": typed_to[:LONGEST_TEXT]}
        if isinstance(found, TimeRange):
            return replace(found, **typed)
        return replace(_default(found, zone, now), **typed)
    return _default(problem, zone, now)


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
        return f"{_day(first)}, {first:%H:%M} to {last:%H:%M}"
    return f"{_day(first)}, {first:%H:%M} to {_day(last)}, {last:%H:%M}"


def _label_before(shown: TimeRange) -> str:
    if shown.days:
        return "Day before" if shown.days == 1 else f"{shown.days} days before"
    count, rest = divmod(shown.length, HOUR)
    if rest:
        return f"{int(shown.length / MINUTE)} minutes before"
    return "Hour before" if count == 1 else f"{count} hours before"
