"""Stacked bars over time, with the time before as a faint line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from portal.charts.places import AxisLabel, Place, axis_labels, line_through, percent
from portal.charts.units import MOST_STEPS, REQUESTS, Unit

# The looks of a part: classes of static/portal.css.
MAIN, SECOND = "bar", "bar-second"
REFUSED, CANCELLED, FAILED = "bar-refused", "bar-cancelled", "bar-failed"
GAP = 0.14


@dataclass(frozen=True)
class Part:
    """One colour of the bars: its name, a value for each place, and its class."""

    name: str
    values: tuple[int, ...]
    look: str = MAIN


@dataclass(frozen=True)
class Rectangle:
    """In percent of the plot, from the top left."""

    look: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Bar:
    """What stands at one place: room for the pointer, and the rectangles in it."""

    place: Place
    title: str
    url: str
    x: str
    width: str
    rectangles: tuple[Rectangle, ...]


@dataclass(frozen=True)
class BarChart:
    """Parts on top of each other, the last one on the floor.

    `previous` holds the whole height of the bars before, None where there is none. With a
    `select_url` bars are links to it with `from` and `to`, and dragging chooses several.
    """

    kind: ClassVar[str] = "bars"
    title: str
    places: tuple[Place, ...]
    parts: tuple[Part, ...]
    unit: Unit = REQUESTS
    previous: tuple[int | None, ...] = ()
    previous_name: str = "Before"
    select_url: str = ""
    is_low: bool = False

    @cached_property
    def totals(self) -> tuple[int, ...]:
        """The height of each bar."""
        return tuple(
            sum(max(0, part.values[index]) for part in self.parts)
            for index in range(len(self.places))
        )

    @cached_property
    def before(self) -> tuple[int | None, ...]:
        """As many values as there are bars."""
        if not self.previous:
            return ()
        count = len(self.places)
        return (*self.previous[:count], *[None] * (count - len(self.previous)))

    @cached_property
    def ticks(self) -> tuple[int, ...]:
        peak = max([*self.totals, *(value or 0 for value in self.before)], default=0)
        return self.unit.ticks(peak, 2 if self.is_low else MOST_STEPS)

    @property
    def axis(self) -> tuple[str, ...]:
        """The words beside the axis, from the top."""
        return tuple(self.unit.on_axis(tick, self.ticks[-1]) for tick in reversed(self.ticks))

    @property
    def grid(self) -> tuple[str, ...]:
        """The heights of the lines, in percent from the top."""
        return tuple(percent(100 - self._height(tick)) for tick in self.ticks)

    @property
    def labels(self) -> tuple[AxisLabel, ...]:
        return axis_labels(self.places)

    @property
    def bars(self) -> tuple[Bar, ...]:
        width = 100 / (len(self.places) or 1)
        return tuple(
            Bar(
                place,
                f"{place.title}: {self._told(index)}",
                place.url(self.select_url),
                percent(index * width),
                percent(width),
                self._rectangles(index, width),
            )
            for index, place in enumerate(self.places)
        )

    @property
    def line_before(self) -> str:
        """The path of the time before."""
        return line_through([None if v is None else self._height(v) for v in self.before])

    @property
    def summary(self) -> str:
        """The chart in one sentence, for who does not see it."""
        whole = self.unit.with_word(sum(self.totals))
        if len(self.parts) == 1:
            return f"{whole}."
        sums = (
            f"{self.unit.in_words(sum(part.values))} {part.name.lower()}" for part in self.parts
        )
        return f"{whole}: {', '.join(sums)}."

    @property
    def headings(self) -> tuple[str, ...]:
        """The columns of the table, after the time."""
        before = (self.previous_name,) if self.previous else ()
        return (*(part.name for part in self.parts), *before)

    @property
    def rows(self) -> tuple[tuple[Place, str, tuple[str, ...]], ...]:
        """The rows of the table: place, where it leads, numbers."""
        columns: list[tuple[int | None, ...]] = [part.values for part in self.parts]
        columns += [self.before] if self.previous else []
        return tuple(
            (
                place,
                place.url(self.select_url),
                tuple(self.unit.in_words(column[index]) for column in columns),
            )
            for index, place in enumerate(self.places)
        )

    def _height(self, value: float) -> float:
        return max(0, value) * 100 / self.ticks[-1]

    def _told(self, index: int) -> str:
        if len(self.parts) == 1:
            return self.unit.with_word(self.totals[index])
        return ", ".join(
            f"{self.unit.in_words(part.values[index])} {part.name.lower()}" for part in self.parts
        )

    def _rectangles(self, index: int, width: float) -> tuple[Rectangle, ...]:
        found, floor = [], 100.0
        for part in reversed(self.parts):
            height = self._height(part.values[index])
            if height:
                floor -= height
                x, wide = (index + GAP) * width, (1 - 2 * GAP) * width
                sizes = (percent(size) for size in (x, floor, wide, height))
                found.append(Rectangle(part.look, *sizes))
        return tuple(found)
