"""When a domain is looked at again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.custom_domains import cadence

pytestmark = pytest.mark.engine_independent
START = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def looks() -> list[timedelta]:
    """Every look of a domain whose records never come, since it was added."""
    found, now = [], START
    while (planned := cadence.next_look(START, now)) is not None:
        now = planned
        found.append(now - START)
    return found


def test_quick_at_first_then_each_minute_then_less_and_less() -> None:
    found = looks()
    assert found[:3] == [timedelta(seconds=10), timedelta(seconds=20), timedelta(seconds=30)]
    assert found[3:18] == [timedelta(minutes=minute) for minute in range(1, 16)]
    steps = [after - before for before, after in zip(found, found[1:], strict=False)][17:]
    assert steps[0] == timedelta(seconds=69)
    growth = [after / before for before, after in zip(steps, steps[1:], strict=False)]
    assert all(0.99 < one < 1.16 for one in growth)
    assert max(steps) == timedelta(hours=4)
    assert timedelta(days=14) <= found[-1] < timedelta(days=14, hours=4)
    assert len(found) < 160


def test_after_fourteen_days_nobody_looks() -> None:
    assert cadence.next_look(START, START + timedelta(days=14)) is None


def test_live_domains_are_spread_around_six_hours() -> None:
    first, last = (cadence.next_live_look(START, chance) - START for chance in (0.0, 1.0))
    assert first < timedelta(hours=6) < last
    assert last - first == timedelta(hours=1.2)


def test_a_cache_that_ends_sooner_is_waited_for() -> None:
    planned = START + timedelta(hours=2)
    clears = START + timedelta(minutes=5)
    assert cadence.hurried(planned, clears, START) == clears + timedelta(seconds=1)
    assert cadence.hurried(planned, START + timedelta(hours=3), START) == planned
    assert cadence.hurried(planned, None, START) == planned
    soon = START + timedelta(seconds=1)
    assert cadence.hurried(planned, soon, START) == START + timedelta(seconds=10)
