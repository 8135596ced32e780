"""Models as lines of text, with their limits and prices."""

from __future__ import annotations

from typing import Any

import pytest

from portal.providers.model_lines import LineError, rows_of, text_of

pytestmark = pytest.mark.engine_independent

FULL = {
    "name": "small",
    "context_tokens": 128_000,
    "max_output_tokens": 4_096,
    "input_price": 150_000,
    "output_price": 600_000,
}


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("\n  \n", []),
        ("small", [{"name": "small"}]),
        ("small | 128000 | 4096 | 0.15 | 0.60", [FULL]),
        ("  small|128,000|4,096|0.15|0.6  ", [FULL]),
        ("small | | 4096", [{"name": "small", "max_output_tokens": 4_096}]),
        ("small ||||", [{"name": "small"}]),
        ("a | | | 0 | 0", [{"name": "a", "input_price": 0, "output_price": 0}]),
        ("a | | | 0.000001 | 2", [{"name": "a", "input_price": 1, "output_price": 2_000_000}]),
        ("a\nb\n\na", [{"name": "a"}, {"name": "b"}]),
        ("modèle-été", [{"name": "modèle-été"}]),
    ],
)
def test_lines_are_read(text: str, rows: list[dict[str, Any]]) -> None:
    assert rows_of(text) == rows


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\n| 5", "Line 2: begin it with the model’s name, at most 200 characters."),
        ("x" * 201, "Line 1: begin it with the model’s name, at most 200 characters."),
        ("a | many", "Line 1: the context must be a whole number of tokens"),
        ("a | 0", "Line 1: the context must be a whole number of tokens"),
        ("a | 1.5", "Line 1: the context must be a whole number of tokens"),
        ("a | 1,00", "Line 1: the context must be a whole number of tokens"),
        ("a | ٣", "Line 1: the context must be a whole number of tokens"),
        ("a | | 100000001", "Line 1: the longest answer must be a whole number of tokens"),
        ("a | | -1", "Line 1: the longest answer must be a whole number of tokens"),
        ("a | | | 0,15 | 1", "Line 1: the input price must be an amount like 0.15"),
        ("a | | | -1 | 1", "Line 1: the input price must be an amount like 0.15"),
        ("a | | | 1 | 0.0000001", "Line 1: the output price must be an amount like 0.15"),
        ("a | | | 1 | 1e3", "Line 1: the output price must be an amount like 0.15"),
        ("a | | | 1 | 9999999", "Line 1: the output price must be an amount like 0.15"),
        ("a | | | nan | 1", "Line 1: the input price must be an amount like 0.15"),
        ("a | | | 1", "Line 1: give both prices, for input and for output, or none."),
        ("a | | | | 1", "Line 1: give both prices, for input and for output, or none."),
        ("a | 1 | 2 | 3 | 4 | 5", "Line 1: it has 6 parts, and five at most have a place."),
        ("\na\n\na | 5", "Line 4: a has other figures on line 2."),
        ("\n".join(f"m{n}" for n in range(501)), "At most 500 models."),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, sentence: str) -> None:
    with pytest.raises(LineError) as caught:
        rows_of(text)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], ""),
        ([{"name": "a"}, {"name": "b"}], "a\nb"),
        ([FULL], "small | 128000 | 4096 | 0.15 | 0.60"),
        ([{"name": "a", "max_output_tokens": 5}], "a | | 5"),
        ([{"name": "a", "input_price": 0, "output_price": 75_000}], "a | | | 0.00 | 0.075"),
        ([{"name": "a", "max_output_tokens": 0}], "a"),
    ],
)
def test_rows_become_the_lines_that_give_them(rows: list[dict[str, Any]], text: str) -> None:
    assert text_of(rows) == text
    assert text_of(rows_of(text)) == text
