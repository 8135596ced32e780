"""Lines over time, as of percentiles: broken where there is no value, the time before faint."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from portal.charts.places import AxisLabel, Place, axis_labels, line_through, percent
from portal.charts.tables import TableRow, numbers_id, table_rows
from portal.charts.units import DURATION, MOST_STEPS, Number, Unit

MAIN, SOFT, FAINT = "plot", "plot plot-soft", "plot plot-faint"
Values = tuple[Number | None, ...]


@dataclass(frozen=True)
class Line:
    """One line: its name, a value (or None) for each place, its class, and the values before."""

    name: str
    values: Values
    look: str = MAIN
    previous: Values = ()


@dataclass(frozen=True)
class LineChart:
    """Lines over the same places; `select_url` as in a BarChart."""

    kind: ClassVar[str] = "lines"
    title: str
    places: tuple[Place, ...]
    lines: tuple[Line, ...]
    unit: Unit = DURATION
    previous_name: str = "Before"
    select_url: str = ""
    is_low: bool = False

    @cached_property
    def ticks(self) -> tuple[int, ...]:
        values = [v for line in self.lines for v in (*line.values, *line.previous) if v is not None]
        return self.unit.ticks(max(values, default=0), 2 if self.is_low else MOST_STEPS)

    @property
    def axis(self) -> tuple[str, ...]:
        """The words beside the axis, from the top."""
        return tuple(self.unit.on_axis(tick, self.ticks[-1]) for tick in reversed(self.ticks))

    @property
    def grid(self) -> tuple[str, ...]:
        """The heights of the lines, in percent from the top."""
        return tuple(percent(100 - tick * 100 / self.ticks[-1]) for tick in self.ticks)

    @property
    def labels(self) -> tuple[AxisLabel, ...]:
        return axis_labels(self.places)

    @property
    def previous(self) -> tuple[Line, ...]:
        """The lines that have one of the time before."""
        return tuple(line for line in self.lines if line.previous)

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Class and name of each line."""
        return tuple((line.look, line.name) for line in self.lines)

    @property
    def paths(self) -> tuple[tuple[str, str], ...]:
        """Class and path of each line, those of the time before first."""
        before = [("plot plot-before", self._path(line.previous)) for line in self.lines]
        now = [(line.look, self._path(line.values)) for line in self.lines]
        return tuple((look, path) for look, path in (*before, *now) if path)

    @property
    def summary(self) -> str:
        """The chart in one sentence, for who does not see it."""
        told = []
        for line in self.lines:
            values = [value for value in line.values if value is not None]
            if values:
                low, high = self.unit.in_words(min(values)), self.unit.in_words(max(values))
                told.append(f"{line.name}: between {low} and {high}.")
        return " ".join(told) or "No values."

    @property
    def numbers_id(self) -> str:
        """The id of the table, or of the link to it."""
        return numbers_id(self.title)

    @property
    def headings(self) -> tuple[str, ...]:
        """The columns of the table, after the time."""
        before = [f"{line.name}, {self.previous_name.lower()}" for line in self.previous]
        return (*(line.name for line in self.lines), *before)

    @property
    def rows(self) -> tuple[TableRow, ...]:
        """The rows of the table."""
        columns = [self._filled(line.values) for line in self.lines]
        columns += [self._filled(line.previous) for line in self.previous]
        return table_rows(self.places, self.select_url, self.unit, columns)

    def _filled(self, values: Values) -> Values:
        """As many values as there are places."""
        count = len(self.places)
        return (*values[:count], *[None] * (count - len(values)))

    def _path(self, values: Values) -> str:
        if not values:
            return ""
        top = self.ticks[-1]
        heights = [None if v is None else max(0, v) * 100 / top for v in self._filled(values)]
        return line_through(heights)
