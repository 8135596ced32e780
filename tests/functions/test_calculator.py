"""Arithmetic for models: exact where it can be, a sentence where there is no result, never slow."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.functions import Answer, built_in

pytestmark = pytest.mark.engine_independent

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def calculated(expression: Any) -> Answer:
    return built_in()["calculator"].call({"expression": expression}, NOW)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 2 * 3", "= 7"),
        ("(1 + 2) * 3", "= 9"),
        ("0.1 + 0.2", "= 0.3"),
        ("119 / 1.19", "= 100"),
        ("1 / 3", "≈ 0.333333333333333"),
        ("2 ** 200", f"= {2**200}"),
        ("2 ^ 10", "= 1024"),
        ("2 ** 3 ** 2", "= 512"),
        ("-2 ** 2", "= -4"),
        ("2 ** -1", "= 0.5"),
        ("-7 // 2", "= -4"),
        ("-7 % 3", "= 2"),
        ("7 % -3", "= -2"),
        ("0 ** 0", "= 1"),
        ("12 × 3 ÷ 4 − 1", "= 8"),
        ("round(2.345, 2)", "= 2.35"),
        ("round(-0.5)", "= -1"),
        ("max(3, 1, 2) - min(3, 1, 2)", "= 2"),
        ("sum(1, 2, 3)", "= 6"),
        ("sqrt(16)", "= 4"),
        ("sqrt(2)", "≈ 1.4142135623731"),
        ("abs(-3) + floor(2.7) + ceil(2.1)", "= 8"),
        ("factorial(20)", "= 2432902008176640000"),
        ("log(100, 10)", "≈ 2"),
        ("log2(8)", "≈ 3"),
        ("LN(e)", "≈ 1"),
        ("sin(pi / 2)", "≈ 1"),
        ("1e308 * 10", "= 1e+309"),
        (42, "= 42"),
    ],
)
def test_a_result_follows_its_expression(expression: Any, result: str) -> None:
    answer = calculated(expression)
    assert answer.text.endswith(f" {result}")
    assert not answer.is_error


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("9 ** 9 ** 9", "too large"),
        ("9 ** 99 ** 99 ** 99", "too large"),
        ("exp(99999)", "too large"),
        ("1e999999", "too large"),
        ("(10 ** 9000) * (10 ** 9000)", "too large"),
        ("factorial(1000000000)", "factorial takes whole numbers from 0 to 1,000"),
        ("factorial(-1)", "factorial takes"),
        ("factorial(2.5)", "factorial takes"),
        ("0 / 0", "Division by zero"),
        ("1 // 0", "Division by zero"),
        ("1 % 0", "Division by zero"),
        ("0 ** -1", "Division by zero"),
        ("sqrt(-1)", "no result among the real numbers"),
        ("(-8) ** (1 / 3)", "no result among the real numbers"),
        ("asin(2)", "no result among the real numbers"),
        ("1e400 // 1e-400", "no result"),
        ("log(0)", "Only positive numbers"),
        ("log(5, 1)", "Only positive numbers"),
        ("round(1, 99999)", "round takes"),
        ("(" * 10_000 + "1" + ")" * 10_000, "longer than 500 characters"),
        ("(" * 200 + "1" + ")" * 200, "nested deeper than 40 levels"),
        ("-" * 400 + "1", "nested deeper than 40 levels"),
        ("2 **" * 100 + "2", "nested deeper than 40 levels"),
        ("sqrt(" * 80 + "1" + ")" * 80, "nested deeper than 40 levels"),
        ("(1", "not closed"),
        ("1)", ") is not expected"),
        ("1 +", "ends too early"),
        ("2 3", "3 is not expected"),
        ("sqrt()", ") is not expected"),
        ("sqrt(1, 2)", "another number of arguments"),
        ("max(" + "1," * 60 + "1)", "at most 50 numbers"),
        ("__import__('os')", "_ is not understood"),
        ("import os", "nothing named import"),
        ("5!", "! is not understood"),
        ("", "Give an expression"),
        (None, "Give an expression"),
        ([1], "Give an expression"),
        (True, "Give an expression"),
    ],
)
def test_what_has_no_result_is_a_sentence_at_once(expression: Any, sentence: str) -> None:
    started = time.monotonic()
    answer = calculated(expression)
    assert time.monotonic() - started < 0.5
    assert sentence in answer.text
    assert answer.is_error


def test_the_costliest_expression_of_500_characters_is_quick() -> None:
    started = time.monotonic()
    calculated("+".join(["factorial(999)**1.01"] * 23))
    calculated("+".join(["9.9**9.9"] * 55))
    assert time.monotonic() - started < 1
