"""Stacked bars over time, with the time before as a faint line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from portal.charts.places import AxisLabel, Place, axis_labels, line_through, middle, percent
from portal.charts.tables import TableRow, numbers_id, table_rows
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
    def key(self) -> tuple[tuple[str, str], ...]:
        """Class and name of each part; empty where there is nothing to tell apart."""
        if len(self.parts) == 1 and not self.previous:
            return ()
        return tuple((part.look, part.name) for part in self.parts)

    @property
    def paths(self) -> tuple[tuple[str, str], ...]:
        """Class and path of all bars of each part, as strokes; then of the time before."""
        floors = [100.0] * len(self.places)
        found = [(part.look, self._bars(part, floors)) for part in reversed(self.parts)]
        found.append(("plot plot-before", self.line_before))
        return tuple((look, path) for look, path in found if path)

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
    def numbers_id(self) -> str:
        """The id of the table, or of the link to it."""
        return numbers_id(self.title)

    @property
    def headings(self) -> tuple[str, ...]:
        """The columns of the table, after the time."""
        before = (self.previous_name,) if self.previous else ()
        return (*(part.name for part in self.parts), *before)

    @property
    def rows(self) -> tuple[TableRow, ...]:
        """The rows of the table."""
        columns: list[tuple[int | None, ...]] = [part.values for part in self.parts]
        columns += [self.before] if self.previous else []
        return table_rows(self.places, self.select_url, self.unit, columns)

    def _height(self, value: float) -> float:
        return max(0, value) * 100 / self.ticks[-1]

    @property
    def bar_width(self) -> str:
        """How wide the strokes are, in percent."""
        return percent((1 - 2 * GAP) * 100 / (len(self.places) or 1))

    def _bars(self, part: Part, floors: list[float]) -> str:
        """As one path; what stands on them begins at the floors that they leave behind."""
        found, scale = [], 100 / self.ticks[-1]
        for index, value in enumerate(part.values):
            if value > 0:
                height = value * scale
                floors[index] -= height
                found.append(f"M{self._middles[index]} {percent(floors[index])}v{percent(height)}")
        return "".join(found)

    @cached_property
    def _middles(self) -> tuple[str, ...]:
        """Where each bar stands, in percent."""
        count = len(self.places)
        return tuple(percent(middle(index, count)) for index in range(count))
