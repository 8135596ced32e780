"""Adding rows of the history to their hourly sums, in the transaction that writes the rows.

The sums are locked in the order of their keys, so that two writers never wait in a circle; those
of a new hour are made before anything is locked, for the same reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.usage import histograms
from portal.usage.models import RequestRollup, UsageSeries
from portal.usage.series import Series, all_of
from portal.usage.tallies import NUMBERS, Tally, counted, hour_of

ROLLUPS, SERIES = RequestRollup.__table__, UsageSeries.__table__
Key = tuple[int, int]  # hour, number of the series
Tallies = dict[Key, Tally]
MEASURES = (*NUMBERS, "last_at", "causes", "latencies", "first_tokens")
MOST_KNOWN = 50_000


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
    made: set[Key] = set()
    if not _known.issuperset(wanted):
        made = _make(connection, _missing(connection, wanted), tallies, series)
        _remember(wanted)
    wanted = [key for key in wanted if key not in made]
    stored = locked(connection, wanted)
    missing = [key for key in wanted if key not in stored]
    if missing:
        made = _make(connection, missing, tallies, series)
        stored |= locked(connection, [key for key in missing if key not in made])
    for key, tally in stored.items():
        tally.add(tallies[key])
    if stored:
        connection.execute(_UPDATE, [_values(key, stored[key]) for key in sorted(stored)])


# Of which hours and series this process has seen a row; it may have gone since.
_known: set[Key] = set()


def _remember(keys: Iterable[Key]) -> None:
    if len(_known) > MOST_KNOWN:
        _known.clear()
    _known.update(keys)


def _missing(connection: Connection, wanted: list[Key]) -> list[Key]:
    found: set[Key] = set()
    for hour, numbers in _by_hour(wanted).items():
        rows = connection.execute(_THERE, {"hour": hour, "numbers": numbers})
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
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    numbers = sorted({number for _, number in missing})
    connection.execute(
        dialect.insert(SERIES).on_conflict_do_nothing(), [row_of(series[one]) for one in numbers]
    )
    rows = [_row(key, tallies[key]) for key in missing]
    if dialect is sqlite:  # this writer is alone
        connection.execute(ROLLUPS.insert(), rows)
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


def locked(connection: Connection, keys: Iterable[Key]) -> Tallies:
    """The stored sums, locked until the end of the transaction."""
    found: Tallies = {}
    for hour, numbers in sorted(_by_hour(keys).items()):
        for row in connection.execute(_LOCKED, {"hour": hour, "numbers": numbers}):
            found[hour, row.series_id] = tally_of(row)
    return found


def tally_of(row: Row[Any]) -> Tally:
    """A stored row's sums."""
    return Tally(
        **{name: getattr(row, name) for name in NUMBERS},
        last_at=row.last_at,
        causes=dict(row.causes),
        latencies=histograms.unpacked(row.latencies),
        first_tokens=histograms.unpacked(row.first_tokens),
    )


def _row(key: Key, tally: Tally) -> dict[str, Any]:
    return {"hour": key[0], "series_id": key[1], **_measures(tally)}


def _values(key: Key, tally: Tally) -> dict[str, Any]:
    return {"at_hour": key[0], "of_series": key[1], **_measures(tally)}


def _measures(tally: Tally) -> dict[str, Any]:
    return {
        **{name: getattr(tally, name) for name in NUMBERS},
        "last_at": tally.last_at,
        "causes": tally.causes,
        "latencies": histograms.packed(tally.latencies),
        "first_tokens": histograms.packed(tally.first_tokens),
    }


# Built once: building a statement costs more than executing it.
_THERE = select(ROLLUPS.c.series_id).where(
    ROLLUPS.c.hour == bindparam("hour"),
    ROLLUPS.c.series_id.in_(bindparam("numbers", expanding=True)),
)
_LOCKED = (
    select(ROLLUPS.c.series_id, *(ROLLUPS.c[name] for name in MEASURES))
    .where(
        ROLLUPS.c.hour == bindparam("hour"),
        ROLLUPS.c.series_id.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(ROLLUPS.c.series_id)
    .with_for_update()
)
_UPDATE = (
    update(ROLLUPS)
    .where(
        ROLLUPS.c.series_id == bindparam("of_series"),
        ROLLUPS.c.hour == bindparam("at_hour"),
    )
    .values({name: bindparam(name) for name in MEASURES})
)
