"""The hourly sums of a multiplied history: those of its base, times the copies.

They are what counting all rows would give, since copies stay in the hour of their base; `disagree`
counts some hours anew, as the portal does it, and tells where that is not so.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from portal.history_keeping import rebuilding
from portal.request_history.numbering import EPOCH, MICROSECOND
from portal.usage import counting
from portal.usage.queries import tally_of
from portal.usage.series import Series, all_of
from portal.usage.tallies import NUMBERS, Tally, counted, hour_of

HOUR = 3_600_000_000  # microseconds
SUMS = ("hour", "series_id", *counting.MEASURES)


def sums(
    rows: Iterator[dict[str, Any]], shifts: list[int], series: dict[int, Series]
) -> Iterator[list[Any]]:
    """Rows of `request_rollups`, hour by hour; all series are noted."""
    seen: set[str] = set()
    for _, of_hour in groupby(rows, key=lambda row: row["hour_us"]):
        tallies: dict[counting.Key, Tally] = {}
        for row in of_hour:
            row["created_at"] = EPOCH + _latest(row, shifts) * MICROSECOND
            one = counted(row, begins_session=row["session_key"] not in seen)
            seen.add(row["session_key"])
            for found in all_of(row):
                series[found.id] = found
                key = hour_of(row["created_at"]), found.id
                tallies.setdefault(key, Tally()).count(one)
        for key, tally in tallies.items():
            stored = counting._row(key, _times(tally, len(shifts)))
            stored["causes"] = json.dumps(stored["causes"])
            stored["last_at"] = f"{stored['last_at']:%Y-%m-%d %H:%M:%S.%f}"
            yield [stored[name] for name in SUMS]


def _latest(row: dict[str, Any], shifts: list[int]) -> int:
    """When the last copy of a row was asked, in microseconds: times go round within their hour."""
    past: int = row["past_us"]
    below = bisect_left(shifts, HOUR - past)
    within = past + shifts[below - 1] if below else past + shifts[-1] - HOUR
    return int(row["hour_us"]) + within


def _times(tally: Tally, copies: int) -> Tally:
    for name in NUMBERS:
        setattr(tally, name, getattr(tally, name) * copies)
    for counts in (tally.causes, tally.latencies, tally.first_tokens):
        for key in counts:
            counts[key] *= copies  # type: ignore[index]
    return tally


def disagree(connection: Connection, account_id: int, hours: Iterable[int]) -> list[int]:
    """Those of the hours whose rows, counted one by one, are not what is stored."""
    found = []
    for hour in hours:
        tallies, _ = rebuilding.counted(connection, account_id, hour)
        if tallies != _stored(connection, hour, [number for _, number in tallies]):
            found.append(hour)
    return found


def _stored(connection: Connection, hour: int, numbers: list[int]) -> dict[counting.Key, Tally]:
    columns = counting.ROLLUPS.c
    query = select(counting.ROLLUPS).where(columns.hour == hour, columns.series_id.in_(numbers))
    return {(hour, row.series_id): tally_of(row) for row in connection.execute(query)}
