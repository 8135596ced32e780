"""What tokens cost, exactly."""

from __future__ import annotations

from typing import Any

import pytest

from portal.llm_providers.catalogue import vendor_named
from portal.providers.prices import OWN, Price, price_of, worst_daily_cost

pytestmark = pytest.mark.engine_independent


@pytest.mark.parametrize(
    ("price", "tokens_in", "tokens_out", "micros"),
    [
        ((150_000, 600_000), 1_000_000, 0, 150_000),
        ((150_000, 600_000), 0, 1_000_000, 600_000),
        ((150_000, 600_000), 1_000, 500, 450),
        ((150_000, 600_000), 1, 0, 1),
        ((150_000, 600_000), 7, 0, 2),
        ((150_000, 600_000), 0, 0, 0),
        ((0, 0), 5_000, 5_000, 0),
        ((1, 1), 1, 0, 1),
        ((1, 1), 500_000, 500_000, 1),
        ((1, 1), 500_000, 500_001, 2),
        ((75_000_000, 75_000_000), 10**12, 10**12, 150 * 10**12),
        ((3_333_333, 1), 2**53 + 1, 0, -(-(2**53 + 1) * 3_333_333 // 10**6)),
    ],
)
def test_a_cost_is_exact_and_rounded_up(
    price: tuple[int, int], tokens_in: int, tokens_out: int, micros: int
) -> None:
    found = Price(*price, OWN).cost_micros(tokens_in, tokens_out)
    assert (found, type(found)) == (micros, int)


OWN_ROWS: list[dict[str, Any]] = [
    {"name": "gpt-4o-mini", "input_price": 200_000, "output_price": 900_000},
    {"name": "gpt-4o"},
    {"name": "house-model", "input_price": 0, "output_price": 0},
]


@pytest.mark.parametrize(
    ("vendor", "model", "price"),
    [
        ("openai", "gpt-4o-mini", (200_000, 900_000)),
        ("openai", "gpt-4o-mini-2024-07-18", (200_000, 900_000)),
        ("nobody", "gpt-4o-mini", (200_000, 900_000)),
        ("openai", "house-model", (0, 0)),
    ],
)
def test_the_account_s_own_price_comes_first(
    vendor: str, model: str, price: tuple[int, int]
) -> None:
    assert price_of(OWN_ROWS, vendor, model) == Price(*price, OWN)


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("gpt-4.1-nano", "gpt-4.1-nano"),
    ],
)
def test_then_the_catalogue_s_with_its_date(model: str, known: str) -> None:
    vendor = vendor_named("openai")
    assert vendor
    noted = vendor.model(known)
    assert noted
    expected = Price(noted.input_price, noted.output_price, vendor.noted_on)
    assert price_of(OWN_ROWS, "openai", model) == expected


@pytest.mark.parametrize(
    ("vendor", "model"),
    [
        ("openai", "gpt-4o-audio-preview"),
        ("openai", "gpt-4"),
        ("openai", ""),
        ("openai", "-latest"),
        ("nobody", "gpt-4o"),
        ("openrouter", "openrouter/auto"),
    ],
)
def test_what_is_not_known_has_no_price(vendor: str, model: str) -> None:
    assert price_of(OWN_ROWS, vendor, model) is None


@pytest.mark.parametrize("model", ["demo", "anything"])
def test_a_vendor_that_bills_nobody_costs_nothing(model: str) -> None:
    price = price_of([], "demo", model)
    assert price
    assert price.cost_micros(10**6, 10**6) == 0


@pytest.mark.parametrize(
    ("price", "tokens", "micros"),
    [
        ((150_000, 600_000), 100_000, 60_000),
        ((600_000, 150_000), 100_000, 60_000),
        ((150_000, 600_000), 0, 0),
        ((1, 2), 1, 1),
        ((0, 0), 10**9, 0),
    ],
)
def test_the_worst_day_is_all_of_the_dearer_kind(
    price: tuple[int, int], tokens: int, micros: int
) -> None:
    assert worst_daily_cost(Price(*price, OWN), tokens) == micros
