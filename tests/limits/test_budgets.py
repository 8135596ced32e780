"""Budgets as values: periods on the account's wall, what fits, which share is used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.limits.budgets import (
    DAY,
    MONTH,
    Amount,
    Budget,
    UseKey,
    budgets_of,
    starts_at,
    starts_on,
)

pytestmark = pytest.mark.engine_independent

BERLIN, PAGO_PAGO, KIRITIMATI, KOLKATA = (
    "Europe/Berlin",
    "Pacific/Pago_Pago",
    "Pacific/Kiritimati",
    "Asia/Kolkata",
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def budget(tokens: int | None = None, micros: int | None = None, period: str = DAY) -> Budget:
    return Budget("client", 1, period, tokens, micros)


@pytest.mark.parametrize(
    ("now", "zone", "day"),
    [
        ("2026-11-27T22:59", BERLIN, "2026-11-27"),
        ("2026-11-27T23:00", BERLIN, "2026-11-28"),
        ("2026-11-27T10:59", PAGO_PAGO, "2026-11-26"),
        ("2026-11-27T11:00", PAGO_PAGO, "2026-11-27"),
        ("2026-11-27T10:00", KIRITIMATI, "2026-11-28"),
        ("2026-11-27T18:29", KOLKATA, "2026-11-27"),
        ("2026-11-27T18:30", KOLKATA, "2026-11-28"),
        # The clocks of Berlin go forward on 29 March and back on 25 October 2026.
        ("2026-03-28T22:59", BERLIN, "2026-03-28"),
        ("2026-03-28T23:00", BERLIN, "2026-03-29"),
        ("2026-03-29T21:59", BERLIN, "2026-03-29"),
        ("2026-03-29T22:00", BERLIN, "2026-03-30"),
        ("2026-10-24T22:00", BERLIN, "2026-10-25"),
        ("2026-10-25T22:59", BERLIN, "2026-10-25"),
        ("2026-10-25T23:00", BERLIN, "2026-10-26"),
    ],
)
def test_a_day_begins_at_midnight_on_the_accounts_wall(now: str, zone: str, day: str) -> None:
    assert starts_on(DAY, at(now), zone) == day


@pytest.mark.parametrize(
    ("now", "zone", "month"),
    [
        ("2026-11-30T22:59", BERLIN, "2026-11-01"),
        ("2026-11-30T23:00", BERLIN, "2026-12-01"),
        ("2026-12-31T23:30", BERLIN, "2027-01-01"),
        ("2027-01-01T10:59", PAGO_PAGO, "2026-12-01"),
        ("2028-02-29T12:00", "UTC", "2028-02-01"),
    ],
)
def test_a_month_begins_on_its_first_day_there(now: str, zone: str, month: str) -> None:
    assert starts_on(MONTH, at(now), zone) == month


@pytest.mark.parametrize(
    ("first_day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-27", 24)]
)
def test_a_day_with_a_change_of_clocks_is_an_hour_shorter_or_longer(
    first_day: str, hours: int
) -> None:
    begin = starts_at(UseKey("client", 1, DAY, first_day), BERLIN)
    inside, after = timedelta(hours=hours, minutes=-1), timedelta(hours=hours)
    in_utc = begin.astimezone(UTC)
    assert starts_on(DAY, in_utc, BERLIN) == first_day
    assert starts_on(DAY, in_utc + inside, BERLIN) == first_day
    assert starts_on(DAY, in_utc + after, BERLIN) > first_day


@pytest.mark.parametrize("zone", [BERLIN, PAGO_PAGO, KIRITIMATI, KOLKATA, "UTC"])
def test_the_moment_a_period_began_is_in_that_period(zone: str) -> None:
    for period in (DAY, MONTH):
        key = budget(1, period=period).key(at("2026-10-25T12:00"), zone)
        begin = starts_at(key, zone)
        assert starts_on(period, begin, zone) == key.starts_on
        assert starts_on(period, begin - timedelta(seconds=1), zone) < key.starts_on


@pytest.mark.parametrize(
    ("tokens", "used", "wanted", "fits"),
    [
        (100, 0, 100, True),
        (100, 0, 101, False),
        (100, 99, 1, True),
        (100, 99, 2, False),
        (100, 100, 0, True),
        (100, 100, 1, False),
        (100, 130, 0, False),
        (0, 0, 1, False),
        (None, 10**12, 10**12, True),
    ],
)
def test_what_fits_into_a_budget_of_tokens(
    tokens: int | None, used: int, wanted: int, fits: bool
) -> None:
    assert budget(tokens).fits(Amount(used, 0), Amount(wanted, 0)) is fits
    assert budget(None, tokens).fits(Amount(0, used), Amount(0, wanted)) is fits


def test_both_limits_of_a_budget_have_to_hold() -> None:
    both = budget(100, 1_000)
    assert both.fits(Amount(50, 500), Amount(50, 500))
    assert not both.fits(Amount(50, 500), Amount(51, 500))
    assert not both.fits(Amount(50, 500), Amount(50, 501))


def test_the_cheaper_model_may_go_to_120_percent_exactly() -> None:
    hundred = budget(100)
    assert hundred.fits(Amount(100, 0), Amount(20, 0), 120)
    assert not hundred.fits(Amount(100, 0), Amount(21, 0), 120)
    three = budget(3)
    assert three.fits(Amount(3, 0), Amount(0, 0), 120)
    assert not three.fits(Amount(3, 0), Amount(1, 0), 120), "3.6 is rounded down"


@pytest.mark.parametrize(
    ("used", "percent", "level"),
    [
        (0, 0, 0),
        (799, 79, 0),
        (800, 80, 80),
        (999, 99, 80),
        (1_000, 100, 100),
        (1_190, 119, 100),
    ],
)
def test_marks_are_reached_at_80_and_at_100_percent(used: int, percent: int, level: int) -> None:
    assert budget(1_000).percent(Amount(used, 0)) == percent
    assert budget(1_000).level(Amount(used, 0)) == level


def test_the_scarcer_limit_decides_the_share() -> None:
    assert budget(1_000, 100).percent(Amount(100, 85)) == 85
    assert budget(1_000, 100).percent(Amount(900, 85)) == 90


def test_a_budget_of_nothing_is_full_from_the_beginning() -> None:
    assert budget(0).percent(Amount(0, 0)) == 100
    assert budget(0).level(Amount(0, 0)) == 100


def test_a_period_without_any_limit_is_no_budget() -> None:
    found = list(budgets_of("key", 7, {"day_tokens": None, "month_micros": 0}))
    assert found == [Budget("key", 7, MONTH, None, 0)]
    assert list(budgets_of("key", 7, {})) == []


def test_tokens_and_money_of_a_period_are_one_budget() -> None:
    limits = {"day_tokens": 1, "day_micros": 2, "month_tokens": 3, "month_micros": None}
    assert list(budgets_of("client", 7, limits)) == [
        Budget("client", 7, DAY, 1, 2),
        Budget("client", 7, MONTH, 3, None),
    ]
