"""Local times and full hours of UTC: what a day is in a zone, moments in words and addresses.

Sums are kept by full hours of UTC. An hour belongs to the day (or other stretch) in which it
begins, so where midnight is no full hour of UTC a day begins a little later: in Kathmandu at 00:45.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def moment_of(wall: datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The moment (UTC) of a local time without zone.

    A time that comes twice is its first, or with `last` its second. A time that the clocks jump
    over is the moment of the jump: nothing happened between the two.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if second < first:
        return _jump(second, first, zone)
    return second if last else first


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The minute between the two at which the zone's clocks change."""
    offset = before.astimezone(zone).utcoffset()
    minutes = range(int((after - before) / MINUTE))
    changed = bisect_left(
        minutes,
        True,
        key=lambda count: (before + count * MINUTE).astimezone(zone).utcoffset() != offset,
    )
    return before + changed * MINUTE


def comes_twice(local: datetime) -> bool:
    """Whether the clocks of its zone show a local time once more, before or after."""
    return local.replace(fold=1 - local.fold).utcoffset() != local.utcoffset()


def hour_of(moment: datetime) -> datetime:
    """The full hour (UTC) in which a moment lies."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def next_hour(moment: datetime) -> datetime:
    """The first full hour (UTC) that begins at a moment or after it."""
    begun = hour_of(moment)
    return begun if begun == moment else begun + HOUR


def minute_of(moment: datetime) -> datetime:
    """The full minute (UTC) in which a moment lies."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first full hour (UTC) that begins on a local day."""
    return next_hour(moment_of(datetime.combine(day, time()), zone))


def today(now: datetime, zone: ZoneInfo) -> date:
    """The local day to which the present hour belongs."""
    return hour_of(now).astimezone(zone).date()


def in_address(moment: datetime, zone: ZoneInfo) -> str:
    """`2026-10-25T04:30`, local; with the offset where the clocks show that time twice."""
    local = moment.astimezone(zone)
    text = local.isoformat(timespec="minutes")
    return text if comes_twice(local) else text[: len("2026-10-25T04:30")]


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """`04:30`; `02:30 CEST` where the clocks show that time twice."""
    return _clock(moment.astimezone(zone))


def day_and_clock(moment: datetime, zone: ZoneInfo) -> str:
    """`Sat 21, 06:00`."""
    local = moment.astimezone(zone)
    return f"{short_day(local)}, {_clock(local)}"


def short_day(day: date) -> str:
    """`Sat 21`."""
    return f"{DAY_NAMES[day.weekday()]} {day.day}"


def _clock(local: datetime) -> str:
    """Without strftime, which takes longer than everything else about a chart of 700 hours."""
    text = f"{local.hour:02d}:{local.minute:02d}"
    return f"{text} {local.tzname()}" if comes_twice(local) else text
