"""Axes that read well: round steps from zero, units on every tick."""

from __future__ import annotations

from math import ceil

import pytest

from portal.charts import DURATION, REQUESTS, TOKENS, Unit, money_in

pytestmark = pytest.mark.engine_independent
EUROS = money_in("EUR")


@pytest.mark.parametrize(
    ("unit", "peak", "axis"),
    [
        (REQUESTS, 0, "0 1 2 3 4"),
        (REQUESTS, 1, "0 1"),
        (REQUESTS, 3, "0 1 2 3"),
        (REQUESTS, 5, "0 2 4 6"),
        (REQUESTS, 705, "0 200 400 600 800"),
        (REQUESTS, 9_000_001, "0 5,000,000 10,000,000"),
        (TOKENS, 0, "0 1 2 3 4"),
        (TOKENS, 61_000, "0 20k 40k 60k 80k"),
        (TOKENS, 5_900_000, "0 2M 4M 6M"),
        (TOKENS, 1_900, "0 500 1k 1.5k 2k"),
        (TOKENS, 7_000_000_000, "0 2B 4B 6B 8B"),
        (DURATION, 0, "0 s, 1 s, 2 s, 3 s, 4 s"),
        (DURATION, 37, "0 ms, 10 ms, 20 ms, 30 ms, 40 ms"),
        (DURATION, 840, "0 s, 0.5 s, 1 s"),
        (DURATION, 5_600, "0 s, 2 s, 4 s, 6 s"),
        (DURATION, 70_000, "0 s, 20 s, 40 s, 60 s, 80 s"),
        (DURATION, 200_000, "0 min, 1 min, 2 min, 3 min, 4 min"),
        (DURATION, 9_000_000, "0 h, 1 h, 2 h, 3 h"),
        (DURATION, 90_000_000, "0 h, 10 h, 20 h, 30 h"),
        (EUROS, 0, "€ 0.00, € 1.00, € 2.00, € 3.00, € 4.00"),
        (EUROS, 12_000_000, "€ 0.00, € 5.00, € 10.00, € 15.00"),
        (EUROS, 3_500, "€ 0.00, € 0.001, € 0.002, € 0.003, € 0.004"),
    ],
)
def test_the_axis_of_a_peak(unit: Unit, peak: int, axis: str) -> None:
    ticks = unit.ticks(peak)
    words = [unit.on_axis(tick, ticks[-1]) for tick in ticks]
    assert words == (axis.split(", ") if ", " in axis else axis.split())


@pytest.mark.parametrize("unit", [REQUESTS, TOKENS, DURATION, EUROS])
@pytest.mark.parametrize("most", [2, 4])
def test_no_peak_is_above_the_axis_and_no_axis_wastes_half_of_itself(unit: Unit, most: int) -> None:
    for peak in (1, 2, 3, 7, 99, 100, 101, 12_345, 10**9 + 1, 3 * 10**15, 0.5, 1234.5):
        ticks = unit.ticks(peak, most)
        assert ticks[0] == 0
        assert 2 <= len(ticks) <= most + 1
        assert len({after - before for before, after in zip(ticks, ticks[1:], strict=False)}) == 1
        assert ticks[-2] < ceil(peak) <= ticks[-1]


def test_a_negative_peak_has_the_axis_of_nothing() -> None:
    assert REQUESTS.ticks(-5) == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        (REQUESTS, 12_345, "12,345"),
        (REQUESTS, None, "None"),
        (TOKENS, 1_234_567, "1,234,567"),
        (DURATION, 840, "840 ms"),
        (DURATION, 3_400, "3.4 s"),
        (DURATION, 65_000, "1 min 5 s"),
        (DURATION, 3_900_000, "1 h 5 min"),
        (EUROS, 1_200_000, "€ 1.20"),
    ],
)
def test_a_number_in_words(unit: Unit, value: int | None, words: str) -> None:
    assert unit.in_words(value) == words
