"""What the three pages of usage have in common: the range, tiles, charts, and what if nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from portal.charts import Tile
from portal.formatting import number
from portal.overview import drawings, figures, spending, tiles
from portal.overview.figures import Figures
from portal.overview.last_rows import MOST_ROWS
from portal.overview.scope import Scope
from portal.request_history import ranges
from portal.request_history.time_range import CUSTOM, TimeRange
from portal.usage import queries as usage

CUT = (
    f"There were more than {number(MOST_ROWS)} requests in this time and the one before;"
    " only the newest are counted here."
)


@dataclass(frozen=True)
class UsagePage:
    """Values for templates. `charts` come in the order of the page, in two columns.

    `last_at` is only looked for when there is nothing in the range; `last_query` is the address
    of its day.
    """

    span: TimeRange
    wants_times: bool
    figures: Figures
    tiles: list[Tile] = field(default_factory=list)
    charts: dict[str, Any] = field(default_factory=dict)
    last_at: datetime | None = None
    last_query: dict[str, str] = field(default_factory=dict)

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The ranges to choose from."""
        return ranges.CHOICES

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked in the range."""
        return not self.figures.total.requests

    @property
    def compared_with(self) -> str:
        """What stands before, for the middle of a sentence."""
        return self.span.previous.label.lower()

    @property
    def sentences(self) -> list[str]:
        """What has to be said of the range, apart from what was wrong with it."""
        cut = CUT if self.figures.is_cut else ""
        return [sentence for sentence in (self.span.note, cut) if sentence]


def of(scope: Scope, values: Mapping[str, str], now: datetime) -> UsagePage:
    """The page that an address asks for."""
    zone = ZoneInfo(scope.account.timezone)
    span = ranges.parse(values, zone, now)
    found = figures.of(scope, span)
    wants_times = span.name == CUSTOM or values.get("range") == CUSTOM or bool(span.typed_from)
    if not found.total.requests:
        last_at = usage.last_request(scope.numbers)
        return UsagePage(
            span, wants_times, found, last_at=last_at, last_query=_day_of(last_at, zone)
        )
    spent = spending.tile(scope, now)
    shown = [*tiles.of(found, scope), *([spent] if spent else [])]
    return UsagePage(span, wants_times, found, shown, _charts(found, scope))


def _day_of(moment: datetime | None, zone: ZoneInfo) -> dict[str, str]:
    if moment is None:
        return {}
    day = moment.astimezone(zone).date().isoformat()
    return {"from": day, "to": day}


def _charts(found: Figures, scope: Scope) -> dict[str, Any]:
    """By name; what has no number in either time is left out."""
    drawing = drawings.drawing(found, scope)
    both = (found.total, found.total_before)
    charts: dict[str, Any] = {
        "requests": drawings.requests(drawing),
        "errors": drawings.errors(drawing),
        "latency": drawings.latency(drawing),
    }
    if any(total.first_tokens for total in both):
        charts["first_word"] = drawings.first_word(drawing)
    if any(total.tokens for total in both):
        charts["tokens"] = drawings.tokens(drawing)
    if any(total.cost_micros for total in both):
        charts["cost"] = drawings.cost(drawing)
    if any(total.sessions for total in both):
        charts["sessions"] = drawings.sessions(drawing)
    return charts
