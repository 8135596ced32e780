"""A stretch of time as pages show it: its borders, its words, its charts, and what was before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from portal.request_history import stretches
from portal.request_history.local_time import DAY, HOUR, MINUTE, day_start, hour_of, in_address
from portal.request_history.stretches import Stretch, Width

CUSTOM = "custom"
WIDTHS = {
    "1h": Width.FIVE_MINUTES,
    "24h": Width.HOUR,
    "48h": Width.HOUR,
    "7d": Width.SIX_HOURS,
    "30d": Width.DAY,
    "90d": Width.DAY,
}


@dataclass(frozen=True)
class TimeRange:
    """A stretch of time (aware UTC, end exclusive), its words, and what was wrong with the asking.

    `days` is the number of local days, 0 where it is not made of whole ones. `problem` is a
    sentence for the page when what was asked for made no sense and the default is shown;
    `note` one when the borders are not those that were typed."""

    name: str
    start: datetime
    end: datetime
    label: str
    zone: ZoneInfo
    days: int = 0
    problem: str = ""
    note: str = ""
    typed_from: str = ""
    typed_to: str = ""

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    @property
    def width(self) -> Width:
        """How long the stretches of its charts are."""
        return WIDTHS.get(self.name) or stretches.fitting_width(self.length)

    @property
    def by_the_minute(self) -> bool:
        """Whether its charts are finer than the hourly sums: they are drawn from rows."""
        return self.width in stretches.BY_THE_MINUTE

    @property
    def on_full_hours(self) -> bool:
        """Whether hourly sums add up to exactly this range."""
        return self.start == hour_of(self.start) and self.end == hour_of(self.end)

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """The bars or points of its charts."""
        return stretches.stretches(self.start, self.end, self.zone, self.width)

    @cached_property
    def hours(self) -> tuple[Stretch, ...]:
        """One stretch an hour, for fine lines; the last may be shorter."""
        return stretches.stretches(self.start, self.end, self.zone, Width.HOUR)

    def borders(self) -> tuple[datetime, ...]:
        """Where its stretches begin, and its end; see `stretches.index_of`."""
        return (*(stretch.start for stretch in self.stretches), self.end)

    @property
    def previous(self) -> TimeRange:
        """What was before: as many local days, or else as many minutes."""
        start = self.start - self.length
        if self.days:
            start = day_start(self.start.astimezone(self.zone).date() - self.days * DAY, self.zone)
        return TimeRange(
            name=self.name,
            start=start,
            end=self.start,
            label=_label_before(self),
            zone=self.zone,
            days=self.days,
        )

    @property
    def query(self) -> dict[str, str]:
        """What an address says to mean this range."""
        if self.name != CUSTOM:
            return {"range": self.name}
        if self.days:
            first = self.start.astimezone(self.zone).date()
            last = first + (self.days - 1) * DAY
            return {"from": first.isoformat(), "to": last.isoformat()}
        return {"from": in_address(self.start, self.zone), "to": in_address(self.end, self.zone)}


def _label_before(shown: TimeRange) -> str:
    if shown.days:
        return "Day before" if shown.days == 1 else f"{shown.days} days before"
    count, rest = divmod(shown.length, HOUR)
    if rest:
        return f"{int(shown.length / MINUTE)} minutes before"
    return "Hour before" if count == 1 else f"{count} hours before"
