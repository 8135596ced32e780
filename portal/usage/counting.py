"""Adding rows of the history to their hourly sums, in the transaction that writes the rows.

The sums are locked in the order of their keys, so that two writers never wait in a circle; those
of a new hour are made before anything is locked, for the same reason. On SQLite a writer is alone.
What is a number the database adds up, histograms and causes are added to here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, bindparam, cast, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.database import Serialized, UTCDateTime
from portal.quick_statements import SQLITE, Quick, among
from portal.usage import histograms
from portal.usage.models import RequestRollup, UsageSeries
from portal.usage.series import Series, all_of
from portal.usage.tallies import NUMBERS, Tally, counted, hour_of

ROLLUPS, SERIES = RequestRollup.__table__, UsageSeries.__table__
Key = tuple[int, int]  # hour, number of the series
Tallies = dict[Key, Tally]
PACKED = ("causes", "latencies", "first_tokens")
MEASURES = (*NUMBERS, "last_at", *PACKED)
MOST_KNOWN = 50_000


class Packed(NamedTuple):
    """What no database can add to: JSON, and two packed histograms."""

    causes: str
    latencies: bytes
    first_tokens: bytes


Stored = dict[Key, Packed]


def write(
    connection: Connection, rows: Iterable[Mapping[str, Any]], beginnings: Collection[str] = ()
) -> None:
    """Count rows (mappings with the columns of the history).

    `beginnings` are the `request_id`s of those with which a session began.
    """
    tallies: defaultdict[Key, Tally] = defaultdict(Tally)
    series: dict[int, Series] = {}
    for row in rows:
        hour = hour_of(row["created_at"])
        one = counted(row, begins_session=row["request_id"] in beginnings)
        for found in all_of(row):
            number = found.id
            series[number] = found
            tallies[hour, number].count(one)
    if tallies:
        add(connection, tallies, series)


def add(connection: Connection, tallies: Mapping[Key, Tally], series: dict[int, Series]) -> None:
    """Add sums to those that are stored."""
    wanted = sorted(tallies)
    made = _made_before(connection, wanted, tallies, series)
    wanted = [key for key in wanted if key not in made]
    stored = _locked(connection, wanted)
    missing = [key for key in wanted if key not in stored]
    if missing:
        made = _make(connection, missing, tallies, series)
        stored |= _locked(connection, [key for key in missing if key not in made])
    if stored:
        _ADD.run(connection, [_more(key, tallies[key], stored[key]) for key in sorted(stored)])


# Of which hours and series this process has seen a row; it may have gone since.
_known: set[Key] = set()


def _made_before(
    connection: Connection,
    wanted: list[Key],
    tallies: Mapping[Key, Tally],
    series: dict[int, Series],
) -> set[Key]:
    """Those that were made, as they were not there, before anything is locked."""
    if connection.dialect.name == SQLITE or _known.issuperset(wanted):
        return set()
    made = _make(connection, _missing(connection, wanted), tallies, series)
    if len(_known) > MOST_KNOWN:
        _known.clear()
    _known.update(wanted)
    return made


def _missing(connection: Connection, wanted: list[Key]) -> list[Key]:
    found: set[Key] = set()
    for hour, numbers in _by_hour(wanted).items():
        rows = _THERE.rows(connection, {"hour": hour, "numbers": numbers})
        found.update((hour, number) for (number,) in rows)
    return [key for key in wanted if key not in found]


def _by_hour(keys: Iterable[Key]) -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for hour, number in keys:
        found[hour].append(number)
    return found


def _make(
    connection: Connection,
    missing: list[Key],
    tallies: Mapping[Key, Tally],
    series: dict[int, Series],
) -> set[Key]:
    """Store sums that are not there yet; those for which nobody else was quicker."""
    if not missing:
        return set()
    numbers = sorted({number for _, number in missing})
    _SERIES.run(connection, [row_of(series[one]) for one in numbers])
    rows = [_row(key, tallies[key]) for key in missing]
    if connection.dialect.name == SQLITE:
        _FIRST.run(connection, rows)
        return set(missing)
    insert = postgresql.insert(ROLLUPS).on_conflict_do_nothing()
    made = connection.execute(insert.returning(ROLLUPS.c.hour, ROLLUPS.c.series_id), rows)
    return {(hour, number) for hour, number in made}


def row_of(series: Series) -> dict[str, Any]:
    """A series as a row of its table."""
    return {
        **series._asdict(),
        "id": series.id,
        "llm_client_id": series.llm_client_id or None,
    }


def _locked(connection: Connection, keys: Iterable[Key]) -> Stored:
    """What is stored, locked until the end of the transaction."""
    found: Stored = {}
    for hour, numbers in sorted(_by_hour(keys).items()):
        for number, *packed in _LOCKED.rows(connection, {"hour": hour, "numbers": numbers}):
            found[hour, number] = Packed(*packed)
    return found


def _row(key: Key, tally: Tally) -> dict[str, Any]:
    return {
        "hour": key[0],
        "series_id": key[1],
        **{name: getattr(tally, name) for name in NUMBERS},
        "last_at": tally.last_at,
        "causes": tally.causes,
        "latencies": histograms.packed(tally.latencies),
        "first_tokens": histograms.packed(tally.first_tokens),
    }


def _more(key: Key, tally: Tally, stored: Packed) -> dict[str, Any]:
    return {
        "at_hour": key[0],
        "of_series": key[1],
        **{name: getattr(tally, name) for name in NUMBERS},
        "last_at": tally.last_at,
        "causes": _causes(stored.causes, tally.causes),
        "latencies": histograms.packed_with(stored.latencies, tally.latencies),
        "first_tokens": histograms.packed_with(stored.first_tokens, tally.first_tokens),
    }


def _causes(stored: str, more: Mapping[str, int]) -> Serialized:
    if not more:
        return Serialized(stored)
    causes: dict[str, int] = json.loads(stored)
    for code, count in more.items():
        causes[code] = causes.get(code, 0) + count
    return Serialized(json.dumps(causes))


_SERIES = Quick(
    lambda name: (sqlite if name == SQLITE else postgresql).insert(SERIES).on_conflict_do_nothing(),
    [column.name for column in SERIES.columns],
)
_FIRST = Quick(ROLLUPS.insert(), ("hour", "series_id", *MEASURES))
_THERE = Quick(
    lambda name: select(ROLLUPS.c.series_id).where(
        ROLLUPS.c.hour == bindparam("hour"), among(ROLLUPS.c.series_id, "numbers", name)
    )
)
_LOCKED = Quick(
    lambda name: (
        select(
            ROLLUPS.c.series_id,
            cast(ROLLUPS.c.causes, Text),
            ROLLUPS.c.latencies,
            ROLLUPS.c.first_tokens,
        )
        .where(ROLLUPS.c.hour == bindparam("hour"), among(ROLLUPS.c.series_id, "numbers", name))
        .order_by(ROLLUPS.c.series_id)
        .with_for_update()
    )
)


def _later(name: str) -> Any:
    """The function that gives the larger of two values."""
    return func.max if name == SQLITE else func.greatest


_ADD = Quick(
    lambda name: (
        update(ROLLUPS)
        .where(
            ROLLUPS.c.series_id == bindparam("of_series"),
            ROLLUPS.c.hour == bindparam("at_hour"),
        )
        .values({one: ROLLUPS.c[one] + bindparam(one) for one in NUMBERS})
        .values({one: bindparam(one) for one in PACKED})
        .values(last_at=_later(name)(ROLLUPS.c.last_at, bindparam("last_at", type_=UTCDateTime)))
    )
)
