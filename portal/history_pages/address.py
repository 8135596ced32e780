"""What the address of a list says: filters, columns, whether it is live. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from portal.history_pages import columns
from portal.history_search.filters import Filters, parse
from portal.request_history.time_range import CUSTOM


@dataclass(frozen=True)
class Address:
    """A list of requests, as its address tells it."""

    filters: Filters
    columns: tuple[str, ...] = columns.DEFAULT
    is_live: bool = False
    wants_times: bool = False

    def query(self, **changes: str | None) -> dict[str, str]:
        """For an address with other values; None or "" leaves one out. Cursors begin anew."""
        kept = {
            "columns": columns.in_address(self.columns),
            "live": "1" if self.is_live else "",
            **self.filters.query(**changes),
            **changes,
        }
        return {name: value for name, value in kept.items() if value}

    @property
    def saved(self) -> dict[str, str]:
        """What a saved view keeps of it."""
        return self.query(live=None)


def of(values: MultiDict[str, str], zone: ZoneInfo, now: datetime) -> Address:
    """What an address means; never raises."""
    return Address(
        filters=parse(values, zone, now),
        columns=columns.chosen(values.getlist("columns")),
        is_live=values.get("live") == "1",
        wants_times=values.get("range") == CUSTOM,
    )
