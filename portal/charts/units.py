"""What the numbers of a chart are: the steps of its axis, and how they read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, count
from math import ceil

from portal.formatting import milliseconds_in_words, money, number

Number = int | float
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
MOST_STEPS = 4


class Kind(StrEnum):
    """Counts and tokens as they are, durations in milliseconds, money in millionths."""

    COUNT = "count"
    TOKENS = "tokens"
    DURATION = "duration"
    MONEY = "money"


# What a step of an axis without any value is: a second, a whole of the currency.
WHOLE = {Kind.DURATION: SECOND, Kind.MONEY: 1_000_000}


@dataclass(frozen=True)
class Unit:
    """What is counted, and the word after the number: `requests`."""

    kind: Kind
    word: str = ""
    currency: str = ""

    def ticks(self, peak: Number, most: int = MOST_STEPS) -> tuple[int, ...]:
        """Where the axis has its lines: from 0 to the peak or above it, in at most `most` steps."""
        wanted = peak if peak > 0 else most * WHOLE.get(self.kind, 1)
        step = next(step for step in self._steps() if step * most >= wanted)
        steps = ceil(wanted / step)
        return tuple(step * index for index in range(steps + 1))

    def _steps(self) -> Iterator[int]:
        return _steps_of_time() if self.kind == Kind.DURATION else _round_steps(1)

    def on_axis(self, value: int, top: int) -> str:
        """A tick in few letters; `top` is the highest, which all others are told like."""
        if self.kind == Kind.DURATION:
            return _time_on_axis(value, top)
        if self.kind == Kind.TOKENS:
            return _short(value)
        return self.in_words(value)

    def in_words(self, value: Number | None) -> str:
        """A number in full, for the table and the pointer: `12,345`, `3.4 s`, `€ 1.20`, `None`."""
        if value is None:
            return "None"
        if self.kind == Kind.DURATION:
            return _time_in_words(round(value))
        if self.kind == Kind.MONEY:
            return money(round(value), self.currency)
        return number(round(value))

    def with_word(self, value: Number) -> str:
        """`12,345 requests`; the amount alone where it tells its unit."""
        return f"{self.in_words(value)} {self.word}".strip()


REQUESTS = Unit(Kind.COUNT, "requests")
SESSIONS = Unit(Kind.COUNT, "sessions")
TOKENS = Unit(Kind.TOKENS, "tokens")
DURATION = Unit(Kind.DURATION)


def money_in(currency: str) -> Unit:
    """Millionths of a currency: `EUR`."""
    return Unit(Kind.MONEY, currency=currency)


def _round_steps(first: int) -> Iterator[int]:
    """1, 2, 5, 10, 20, 50 and so on, times the first."""
    return (digit * 10**power * first for power in count() for digit in (1, 2, 5))


def _steps_of_time() -> Iterator[int]:
    """Milliseconds by tens, then the seconds and minutes that a clock has."""
    short = (digit * 10**power for power in range(3) for digit in (1, 2, 5))
    seconds = (count * SECOND for count in (1, 2, 5, 10, 20, 30))
    minutes = (count * MINUTE for count in (1, 2, 5, 10, 20, 30))
    return chain(short, seconds, minutes, _round_steps(HOUR))


def _time_on_axis(value: int, top: int) -> str:
    for unit, name in ((HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if top >= unit * (1 if unit == SECOND else 2):
            return f"{value / unit:g} {name}"
    return f"{value} ms"


def _time_in_words(milliseconds: int) -> str:
    if milliseconds < MINUTE:
        return milliseconds_in_words(milliseconds)
    minutes, seconds = divmod(milliseconds // SECOND, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def _short(value: int) -> str:
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{value / size:,.10g}{letter}"
    return str(value)
