"""The axis of time: where a bar or point stands, its words below, and where a click leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit, urlunsplit

# Names in an address that a chosen time replaces.
OF_TIME = ("range", "from", "to")
ALL_SHOWN = 4


class Place(Protocol):
    """A stretch of time. A drawing needs its label; the rest is told by a table only, so whoever
    makes places may put it off."""

    @property
    def label(self) -> str:
        """Below the axis; often empty."""

    @property
    def title(self) -> str:
        """The whole stretch in words."""

    @property
    def start(self) -> str:
        """The value of `from` in an address."""

    @property
    def end(self) -> str:
        """The value of `to` in an address."""

    @property
    def start_words(self) -> str: ...

    @property
    def end_words(self) -> str: ...


@dataclass(frozen=True)
class ToldPlace:
    """A place whose words are there already."""

    title: str
    label: str = ""
    start: str = ""
    end: str = ""
    start_words: str = ""
    end_words: str = ""


def url_of(place: Place, select_url: str) -> str:
    """The address with this time chosen; empty without a place to choose for."""
    return with_time(select_url, place.start, place.end) if select_url else ""


@dataclass(frozen=True)
class AxisLabel:
    """Words below the axis; `x` in percent, `is_minor` ones are dropped where it is narrow."""

    text: str
    x: str
    is_minor: bool


def with_time(url: str, start: str, end: str) -> str:
    """An address with `from` and `to`, in place of the time it named before."""
    return f"{_without_time(url)}from={_quoted(start)}&to={_quoted(end)}"


# The end of a stretch is the beginning of the next one, here and on the next page.
_quoted = lru_cache(maxsize=4096)(quote_plus)


@lru_cache(maxsize=100)
def _without_time(url: str) -> str:
    """An address to which values can be joined."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in OF_TIME]
    rest = urlunsplit(parts._replace(query=urlencode(kept)))
    return f"{rest}&" if kept else f"{rest}?"


def axis_labels(places: Sequence[Place]) -> tuple[AxisLabel, ...]:
    """The labels below the middles of their places."""
    named = [(index, place.label) for index, place in enumerate(places) if place.label]
    return tuple(
        AxisLabel(
            text,
            percent(middle(index, len(places))),
            is_minor=len(named) > ALL_SHOWN and ordinal % 2 == 1,
        )
        for ordinal, (index, text) in enumerate(named)
    )


def middle(index: int, count: int) -> float:
    """The middle of a place of so many, in percent."""
    return (index + 0.5) * 100 / count


def percent(value: float) -> str:
    """`12.5`, for an attribute."""
    return f"{round(value, 2) + 0.0:g}"


def line_through(heights: Sequence[float | None]) -> str:
    """An SVG path through the middles of the places, broken where there is no value.

    Heights in percent from the floor. A value between two gaps is a short dash.
    """
    found, is_open = [], False
    width = 100 / (len(heights) or 1)
    for index, height in enumerate(heights):
        if height is None:
            is_open = False
            continue
        x, y = middle(index, len(heights)), percent(100 - height)
        is_alone = not is_open and (index + 1 == len(heights) or heights[index + 1] is None)
        if is_alone:
            found.append(f"M{percent(x - width / 4)} {y}H{percent(x + width / 4)}")
        else:
            found.append(f"{'L' if is_open else 'M'}{percent(x)} {y}")
        is_open = True
    return "".join(found)
