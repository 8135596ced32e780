"""Dates for models: the account's today, months of different length, and the ends of time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from portal.functions import Answer, built_in

pytestmark = pytest.mark.engine_independent

NOW = datetime(2026, 11, 27, 16, 5, tzinfo=UTC)


def asked(**arguments: Any) -> Answer:
    return built_in()["date_calculator"].call(arguments, NOW)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"action": "today"}, "Today is Friday, 2026-11-27."),
        ({"action": "weekday", "date": "2000-02-29"}, "2000-02-29 is a Tuesday, in week 9."),
        ({"action": "weekday"}, "2026-11-27 is a Friday"),
        ({"action": "add", "amount": 1, "unit": "months", "date": "2024-01-31"}, "2024-02-29."),
        ({"action": "subtract", "amount": 1, "unit": "year", "date": "2024-02-29"}, "2023-02-28."),
        ({"action": "add", "amount": 2, "unit": "weeks"}, "is Friday, 2026-12-11."),
        ({"action": "add", "amount": 30}, "30 days after Friday, 2026-11-27"),
        ({"action": "subtract", "amount": 13, "unit": "months"}, "2025-10-27."),
        ({"action": "add", "amount": 3.0, "unit": "days"}, "2026-11-30."),
        ({"action": "difference", "other_date": "2026-12-24"}, "27 days, that is 3 weeks and 6"),
        ({"action": "difference", "date": "2026-12-24", "other_date": "today"}, "-27 days"),
        ({"action": "weekday", "date": "2026-12-24T18:00:00Z"}, "is a Thursday"),
    ],
)
def test_dates_are_counted(arguments: dict[str, Any], told: str) -> None:
    answer = asked(**arguments)
    assert told in answer.text
    assert not answer.is_error


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "action must be one of"),
        ({"action": "delete"}, "action must be one of"),
        ({"action": ["add"]}, "action must be one of"),
        ({"action": "weekday", "date": "24.12.2026"}, "must be written as"),
        ({"action": "weekday", "date": 20261224}, "must be written as"),
        ({"action": "weekday", "date": "2026-02-30"}, "There is no date 2026-02-30."),
        ({"action": "weekday", "date": "0000-01-01"}, "There is no date"),
        ({"action": "add", "amount": 10**9}, "at most 4,000,000"),
        ({"action": "add", "amount": "3"}, "a whole number"),
        ({"action": "add", "amount": True}, "a whole number"),
        ({"action": "add", "amount": 4_000_000, "unit": "years"}, "outside of the years"),
        ({"action": "subtract", "amount": 4_000_000, "unit": "weeks"}, "outside of the years"),
        ({"action": "subtract", "amount": 2026, "unit": "years"}, "outside of the years"),
        ({"action": "add", "amount": 1, "unit": "hours"}, "unit must be one of"),
    ],
)
def test_what_is_no_date_is_a_sentence(arguments: dict[str, Any], sentence: str) -> None:
    answer = asked(**arguments)
    assert sentence in answer.text
    assert answer.is_error
