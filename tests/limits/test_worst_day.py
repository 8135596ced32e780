"""Before anybody may use a client, its deploy page says what the worst day can cost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.limits.conftest import SetLimits
from tests.model_server import MODEL, ModelServer
from tests.people import People
from tests.serving.conftest import MakeVisitor
from tests.serving.keys import make_key


@pytest.mark.parametrize(
    ("limits", "client", "told"),
    [
        ({}, {}, "costs US$ 2,000,000.00 a day"),
        (
            {"day_tokens": 1_000},
            {},
            "At worst it costs US$ 2,000.00 a day: its budget of 1,000 tokens at the dearest price",
        ),
        ({"day_micros": 2_500_000}, {}, "At worst it costs US$ 2.50 a day, its budget."),
        ({"day_tokens": 1, "day_micros": 2_500_000}, {}, "costs US$ 2.00 a day: its budget of 1"),
        ({"day_tokens": 9, "day_micros": 2_500_000}, {}, "costs US$ 2.50 a day, its budget."),
        (
            {"day_tokens": 1_000},
            {"default_model": "unknown"},
            "uses 1,000 tokens a day, its budget. What they cost is not known: the portal has no "
            "price for unknown.",
        ),
        ({"month_micros": 5_000_000}, {}, "only for a month: US$ 5.00 may be gone in one day."),
        ({"month_tokens": 10}, {}, "only for a month: US$ 20.00 may be gone in one day."),
        (
            {"month_tokens": 10},
            {"default_model": "unknown"},
            "only for a month: 10 tokens may be gone in one day.",
        ),
        (
            {"day_micros": 1_000_000, "cheaper_provider": "vendor", "cheaper_model": "small"},
            {},
            "US$ 1.00 a day, its budget. Its cheaper model may add 20% to that.",
        ),
        (
            {"day_tokens": 1_000},
            {"fallback_provider": "vendor", "fallback_model": "unknown"},
            "no price for unknown.",
        ),
    ],
)
def test_the_worst_day_is_told_in_numbers(
    people: People,
    make_visitor: MakeVisitor,
    dear_server: None,
    set_limits: SetLimits,
    limits: dict[str, Any],
    client: dict[str, Any],
    told: str,
) -> None:
    visitor = make_visitor(**{"provider": "vendor", "default_model": MODEL, **client})
    if limits:
        set_limits("client", visitor.client_id, **limits)
    page = people.browser(people.alice).get(f"/llm-clients/{visitor.hashed_id}/deploy")
    if not limits:
        assert "its budget of 1,000,000 tokens at the dearest price" in page.words
    assert told in page.words


@pytest.fixture
def dear_server(people: People, make_visitor: MakeVisitor) -> Any:
    """A provider whose tokens cost US$ 1 in, US$ 2 out, each."""
    with ModelServer() as server:
        million = 1_000_000
        prices = (million * million, 2 * million * million)
        server.is_provider(people.planes, people.alice, prices=prices)
        yield


def test_the_demo_costs_nothing(people: People, make_visitor: MakeVisitor) -> None:
    visitor = make_visitor()
    page = people.browser(people.alice).get(f"/llm-clients/{visitor.hashed_id}/deploy")
    assert "The demo provider costs nothing." in page.words


def test_a_client_that_wants_a_key_needs_no_warning(
    people: People, make_visitor: MakeVisitor
) -> None:
    visitor = make_visitor()
    make_key(visitor)
    page = people.browser(people.alice).get(f"/llm-clients/{visitor.hashed_id}/deploy")
    assert "At worst" not in page.words
