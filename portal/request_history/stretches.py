"""Stretches of a time range: one bar or point of a chart each, with its words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import count, pairwise, takewhile
from zoneinfo import ZoneInfo

from portal.charts import Place
from portal.request_history import local_time
from portal.request_history.local_time import DAY, HOUR, MINUTE


class Width(StrEnum):
    """How long a stretch is; from six hours on by the clock on the wall."""

    MINUTE = "minute"
    FIVE_MINUTES = "five minutes"
    HOUR = "hour"
    SIX_HOURS = "six hours"
    DAY = "day"
    WEEK = "week"


LENGTHS = {
    Width.MINUTE: MINUTE,
    Width.FIVE_MINUTES: 5 * MINUTE,
    Width.HOUR: HOUR,
    Width.SIX_HOURS: 6 * HOUR,
    Width.DAY: DAY,
    Width.WEEK: 7 * DAY,
}
BY_THE_MINUTE = (Width.MINUTE, Width.FIVE_MINUTES)
BY_THE_WALL = (Width.SIX_HOURS, Width.DAY, Width.WEEK)


@dataclass(frozen=True)
class Stretch:
    """One part of a range: aware UTC, end exclusive; `label` is empty where the axis has none."""

    start: datetime
    end: datetime
    label: str
    width: Width
    zone: ZoneInfo

    @property
    def place(self) -> Place:
        """Where its bar or point stands in a chart."""
        return StretchPlace(self)


@dataclass(frozen=True)
class StretchPlace:
    """The place of a stretch in a chart; its words are made when a table wants them."""

    stretch: Stretch

    @property
    def label(self) -> str:
        return self.stretch.label

    @property
    def title(self) -> str:
        stretch = self.stretch
        return _title(stretch.start, stretch.end, stretch.zone, stretch.width)

    @property
    def start(self) -> str:
        return local_time.in_address(self.stretch.start, self.stretch.zone)

    @property
    def end(self) -> str:
        return local_time.in_address(self.stretch.end, self.stretch.zone)

    @property
    def start_words(self) -> str:
        return local_time.day_and_clock(self.stretch.start, self.stretch.zone)

    @property
    def end_words(self) -> str:
        return local_time.day_and_clock(self.stretch.end, self.stretch.zone)


def fitting_width(length: timedelta) -> Width:
    """The width for a range of any length: 1 to 130 stretches."""
    limits = (
        (30 * MINUTE, Width.MINUTE),
        (2 * HOUR, Width.FIVE_MINUTES),
        (3 * DAY + HOUR, Width.HOUR),
        (14 * DAY + HOUR, Width.SIX_HOURS),
        (120 * DAY + HOUR, Width.DAY),
    )
    return next((width for limit, width in limits if length <= limit), Width.WEEK)


def borders(start: datetime, end: datetime, zone: ZoneInfo, width: Width) -> list[datetime]:
    """Start, what lies between, and end; the last stretch may be shorter.

    By the wall: a stretch in which the clocks change is as much longer or shorter, and a border
    that is no full hour of UTC moves to the next one, as hours belong where they begin.
    """
    steps = _by_the_wall(start, zone, width) if width in BY_THE_WALL else _by_length(start, width)
    found = [start]
    for border in takewhile(lambda border: border < end, steps):
        if border > found[-1]:
            found.append(border)
    return [*found, end]


def _by_length(start: datetime, width: Width) -> Iterator[datetime]:
    return (start + index * LENGTHS[width] for index in count(1))


def _by_the_wall(start: datetime, zone: ZoneInfo, width: Width) -> Iterator[datetime]:
    wall = _wall(start, zone)
    walls = (wall + index * LENGTHS[width] for index in count(1))
    return (local_time.next_hour(local_time.moment_of(time, zone)) for time in walls)


def _wall(start: datetime, zone: ZoneInfo) -> datetime:
    """The local time of a start; midnight for the first hour of a day, however late it begins."""
    local = start.astimezone(zone).replace(tzinfo=None)
    is_day = local_time.day_start(local.date(), zone) == start
    return datetime.combine(local.date(), time()) if is_day else local


@lru_cache(maxsize=64)
def stretches(start: datetime, end: datetime, zone: ZoneInfo, width: Width) -> tuple[Stretch, ...]:
    """The parts of a range, in order, without a gap; remembered, as ranges end with the hour."""
    pairs = list(pairwise(borders(start, end, zone, width)))
    return tuple(
        Stretch(
            begins,
            ends,
            _label(begins.astimezone(zone), index, len(pairs), width),
            width,
            zone,
        )
        for index, (begins, ends) in enumerate(pairs)
    )


def index_of(edges: Sequence[datetime], moment: datetime) -> int | None:
    """Between which two borders a moment lies, counted from 0; None outside."""
    index = bisect_right(edges, moment) - 1
    return index if 0 <= index < len(edges) - 1 else None


def _title(begins: datetime, ends: datetime, zone: ZoneInfo, width: Width) -> str:
    first, last = begins.astimezone(zone), (ends - MINUTE).astimezone(zone)
    if width == Width.DAY:
        return f"{local_time.short_day(first)} {first:%B}"
    if width == Width.WEEK:
        month = "" if first.month == last.month else f" {first:%B}"
        return f"{first.day}{month} to {last.day} {last:%B %Y}"
    until = local_time.clock(ends, zone)
    return f"{local_time.day_and_clock(begins, zone)} to {until}"


def _label(local: datetime, index: int, number: int, width: Width) -> str:
    """The words below the axis; at most about nine in a chart."""
    if width in BY_THE_MINUTE:
        every = 5 if width == Width.MINUTE else 3
        return f"{local:%H:%M}" if index % every == 0 else ""
    if width == Width.HOUR:
        return _hour_label(local, number)
    if width == Width.SIX_HOURS:
        is_spare = number > 34 and index // 4 % 2 == 1
        return local_time.short_day(local) if local.hour < 6 and not is_spare else ""
    if width == Width.DAY:
        return _day_label(local, number)
    return f"{local:%b}" if local.day <= 7 else ""


def _hour_label(local: datetime, number: int) -> str:
    if number > 80:
        return _day_label(local, number // 24) if local.hour == 0 else ""
    every = next((step for most, step in ((8, 1), (26, 3), (50, 6)) if number <= most), 12)
    if local.hour == 0:
        return local_time.short_day(local)
    return f"{local:%H:%M}" if local.hour % every == 0 else ""


def _day_label(local: datetime, number: int) -> str:
    if number <= 9:
        return local_time.short_day(local)
    is_shown = local.weekday() == 0 if number <= 45 else local.day in (1, 15)
    return f"{local.day} {local:%b}" if is_shown else ""
