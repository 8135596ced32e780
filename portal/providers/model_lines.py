"""Models as lines of text: `model | context | max output | input price | output price`.

All but the name may be left out. Prices are units of the account's currency for a million tokens.
"""

from __future__ import annotations

import re
from typing import Any

from portal.formatting import exact_decimal

MOST_LINES = 500
MOST_TOKENS = 100_000_000
PARTS = ("name", "context_tokens", "max_output_tokens", "input_price", "output_price")
WHOLE = re.compile(r"\d{1,3}(,\d{3})+|\d{1,9}", re.ASCII)
PRICE = re.compile(r"(\d{1,6})(?:\.(\d{1,6}))?", re.ASCII)


class LineError(ValueError):
    """What is wrong with one line, as a sentence that names it."""


def rows_of(text: str) -> list[dict[str, Any]]:
    """The rows to store, prices in millionths. Raises LineError for the first wrong line."""
    rows: dict[str, dict[str, Any]] = {}
    numbers: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        row = _row(line, number)
        name = str(row["name"])
        if rows.setdefault(name, row) != row:
            raise LineError(f"Line {number}: {name} has other figures on line {numbers[name]}.")
        numbers.setdefault(name, number)
    if len(rows) > MOST_LINES:
        raise LineError(f"At most {MOST_LINES} models.")
    return list(rows.values())


def text_of(rows: list[dict[str, Any]]) -> str:
    """The lines that give these rows."""
    return "\n".join(_line(row) for row in rows)


def _row(line: str, number: int) -> dict[str, Any]:
    parts = [part.strip() for part in line.split("|")]
    if len(parts) > len(PARTS):
        raise LineError(f"Line {number}: it has {len(parts)} parts, and five at most have a place.")
    name, context, most, cost_in, cost_out = [*parts, *[""] * (len(PARTS) - len(parts))]
    if not name or len(name) > 200:
        raise LineError(f"Line {number}: begin it with the model’s name, at most 200 characters.")
    if bool(cost_in) != bool(cost_out):
        raise LineError(f"Line {number}: give both prices, for input and for output, or none.")
    row = {
        "name": name,
        "context_tokens": _tokens(context, number, "the context"),
        "max_output_tokens": _tokens(most, number, "the longest answer"),
        "input_price": _price(cost_in, number, "the input price"),
        "output_price": _price(cost_out, number, "the output price"),
    }
    return {key: value for key, value in row.items() if value is not None}


def _tokens(text: str, number: int, what: str) -> int | None:
    if not text:
        return None
    count = int(text.replace(",", "")) if WHOLE.fullmatch(text) else 0
    if not 1 <= count <= MOST_TOKENS:
        raise LineError(
            f"Line {number}: {what} must be a whole number of tokens from 1 to {MOST_TOKENS:,}."
        )
    return count


def _price(text: str, number: int, what: str) -> int | None:
    if not text:
        return None
    found = PRICE.fullmatch(text)
    if not found:
        raise LineError(
            f"Line {number}: {what} must be an amount like 0.15, with a point and "
            "at most six decimals."
        )
    return int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0"))


def _line(row: dict[str, Any]) -> str:
    prices = [row.get("input_price"), row.get("output_price")]
    parts = [
        str(row["name"]),
        *(str(row.get(limit) or "") for limit in ("context_tokens", "max_output_tokens")),
        *("" if price is None else exact_decimal(price) for price in prices),
    ]
    while not parts[-1]:
        parts.pop()
    return "|".join(f" {part} " if part else " " for part in parts).strip()
