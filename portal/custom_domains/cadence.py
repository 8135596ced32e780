"""When a domain is looked at again. Pure; `chance` is a number from 0 to 1."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

WATCHED = timedelta(days=14)
LIVE = timedelta(hours=6)
JITTER = 0.2  # share of LIVE by which looks are spread
CONFIRM = timedelta(minutes=10)
UNSURE = timedelta(hours=1)
SLOWEST = timedelta(hours=4)
GROWTH = 1.15
AFTER_CACHE = timedelta(seconds=1)


@cache
def offsets() -> tuple[float, ...]:
    """Seconds after the start: 10, 20, 30, each minute to the 15th, then ever later, 14 days."""
    found = [10.0, 20.0, 30.0, *(60.0 * minute for minute in range(1, 16))]
    step = 60.0
    while found[-1] <= WATCHED.total_seconds():
        step = min(step * GROWTH, SLOWEST.total_seconds())
        found.append(float(round(found[-1] + step)))
    return tuple(found)


def next_look(watched_since: datetime, now: datetime) -> datetime | None:
    """The next time for a domain that is being set up; None: it is paused now."""
    elapsed = (now - watched_since).total_seconds()
    if elapsed >= WATCHED.total_seconds():
        return None
    return watched_since + timedelta(seconds=next(at for at in offsets() if at >= elapsed + 1))


def next_live_look(now: datetime, chance: float) -> datetime:
    """The next time for a domain that works: 6 hours, spread so that not all come at once."""
    return now + LIVE * (1 - JITTER / 2 + JITTER * chance)


def next_failing_look(failures_in_a_row: int, now: datetime, chance: float) -> datetime:
    """A first failure is looked at again soon, so that a hiccup is told from a loss."""
    return now + CONFIRM if failures_in_a_row <= 1 else next_live_look(now, chance)


def hurried(planned: datetime, clears_at: datetime | None, now: datetime) -> datetime:
    """Earlier where a cache is known to end before the planned time."""
    if clears_at is None or clears_at <= now:
        return planned
    return min(planned, max(clears_at + AFTER_CACHE, now + timedelta(seconds=10)))
