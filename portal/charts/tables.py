"""The numbers of a chart as a table: what the keyboard, a screen reader and charts.js use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from portal.charts.places import Place, url_of
from portal.charts.units import Number, Unit


class TableRow(NamedTuple):
    """A stretch of time: in words, when it begins, where its requests are, and its numbers."""

    title: str
    start_words: str
    url: str
    numbers: tuple[str, ...]


def numbers_id(title: str) -> str:
    """Where on its page the table of a chart stands."""
    return f"numbers-{re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-')}"


def table_rows(
    places: Sequence[Place], select_url: str, unit: Unit, columns: Sequence[Sequence[Number | None]]
) -> tuple[TableRow, ...]:
    """One for each place; each column has a value, or None, for each of them."""
    words = [[unit.in_words(value) for value in column] for column in columns]
    return tuple(
        TableRow(place.title, place.start_words, url_of(place, select_url), tuple(numbers))
        for place, *numbers in zip(places, *words, strict=True)
    )
