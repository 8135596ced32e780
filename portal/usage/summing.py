"""Sums of stretches of time and of parts, added up by the database: a row for each of them,
however many hours they have. Histograms come one after the other and are added up here."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
)

from portal.database import db
from portal.usage import histograms
from portal.usage.models import RequestRollup, UsageSeries
from portal.usage.queries import REQUESTS
from portal.usage.series import SANDBOX, Grain, Series
from portal.usage.tallies import EPOCH, NUMBERS, OUTCOMES, Tally, hour_of
from portal.vault.models import AuthToken

Numbers = Collection[int] | Select[tuple[int]]
HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)


def of_provider(account_id: int, provider: str) -> Select[tuple[int]]:
    """The numbers of the series in which what visitors asked one provider is counted."""
    return select(UsageSeries.id).where(
        UsageSeries.account_id == account_id,
        UsageSeries.grain == Grain.MODEL,
        UsageSeries.provider == provider,
        UsageSeries.mode != SANDBOX,
    )


def by_stretch(numbers: Numbers, borders: Sequence[datetime]) -> list[Tally]:
    """What was asked between each two borders; an hour belongs where it begins."""
    return _by_stretch(numbers, borders, _sums(), _tally)


def outcomes_by_stretch(numbers: Numbers, borders: Sequence[datetime]) -> list[Tally]:
    """The same, but only how many requests ended how; for that, nothing large is read."""
    sums = [func.sum(getattr(RequestRollup, name)).label(name) for name in OUTCOMES]
    return _by_stretch(numbers, borders, sums, _outcomes)


def _by_stretch(
    numbers: Numbers,
    borders: Sequence[datetime],
    sums: Sequence[ColumnElement[Any]],
    tally_of: Callable[[Any], Tally],
) -> list[Tally]:
    runs = _runs([_first_hour(border) for border in borders])
    tallies = [Tally() for _ in borders[:-1]]
    if not runs:
        return tallies
    place = _place(runs).label("place")
    query = (
        select(place, *sums)
        .where(
            RequestRollup.series_id.in_(numbers),
            RequestRollup.hour >= runs[0].start,
            RequestRollup.hour < runs[-1].end,
        )
        .group_by(literal_column("place"))
    )
    for row in db.session.execute(query):
        tallies[row.place] = tally_of(row)
    return tallies


class Run(NamedTuple):
    """Stretches of the same number of hours, one after the other; the first is the `place`-th."""

    place: int
    start: int
    width: int
    end: int


def _runs(hours: Sequence[int]) -> list[Run]:
    """Few, however many stretches there are: the first, the last, and where the clocks change.

    A stretch in which no hour begins is in none of them.
    """
    runs: list[Run] = []
    for place, (start, end) in enumerate(pairwise(hours)):
        last = runs[-1] if runs else None
        if last and last.end == start and last.width == end - start and _next(last) == place:
            runs[-1] = last._replace(end=end)
        elif end > start:
            runs.append(Run(place, start, end - start, end))
    return runs


def _next(run: Run) -> int:
    """The place after its last stretch."""
    return run.place + (run.end - run.start) // run.width


def _place(runs: Sequence[Run]) -> ColumnElement[int]:
    """In which stretch an hour lies."""
    hour = RequestRollup.hour
    found = [(hour < run.end, (hour - run.start) // run.width + run.place) for run in runs]
    return case(*found)


def _is_sqlite() -> bool:
    return db.session.connection().dialect.name == "sqlite"


@dataclass
class Parts:
    """What was asked of each series, and the names of the keys that are still there."""

    tallies: dict[Series, Tally] = field(default_factory=dict)
    key_names: dict[int, str] = field(default_factory=dict)


def by_part(numbers: Numbers, start: datetime, end: datetime) -> Parts:
    """What was asked of each of these series; those that nobody asked are left out."""
    names = Series._fields
    key_name = select(AuthToken.name).where(
        AuthToken.id == UsageSeries.api_key_id, AuthToken.account_id == UsageSeries.account_id
    )
    query = (
        select(
            *(getattr(UsageSeries, name) for name in names),
            key_name.scalar_subquery().label("key_name"),
            *_sums(),
        )
        .join_from(UsageSeries, RequestRollup, RequestRollup.series_id == UsageSeries.id)
        .where(
            UsageSeries.id.in_(numbers),
            RequestRollup.hour >= _first_hour(start),
            RequestRollup.hour < _first_hour(end),
        )
        .group_by(UsageSeries.id)
    )
    parts = Parts()
    for row in db.session.execute(query):
        found = (getattr(row, name) or _NOTHING.get(name, "") for name in names)
        parts.tallies[Series(*found)] = _tally(row)
        if row.key_name:
            parts.key_names[row.api_key_id] = row.key_name
    return parts


def parts_of_client(account_id: int, client_id: int) -> Select[tuple[int]]:
    """The numbers of what a client's visitors are told apart by: revision, model, key, mode."""
    return select(UsageSeries.id).where(
        UsageSeries.account_id == account_id,
        UsageSeries.llm_client_id == client_id,
        UsageSeries.grain == Grain.PART,
        UsageSeries.mode != SANDBOX,
    )


@dataclass(frozen=True)
class Counts:
    """An hour in few numbers: how many were asked and answered, and how long all took (ms)."""

    start: datetime
    requests: int
    answered: int
    latency_ms: int

    @property
    def unanswered(self) -> int:
        return self.requests - self.answered

    @property
    def average_ms(self) -> int:
        """How long one took."""
        return round(self.latency_ms / self.requests) if self.requests else 0


def counts(number: int, start: datetime, end: datetime) -> list[Counts]:
    """The hours of a series in which anything was asked, in order."""
    query = (
        select(RequestRollup.hour, REQUESTS, RequestRollup.answered, RequestRollup.latency_ms)
        .where(
            RequestRollup.series_id == number,
            RequestRollup.hour >= _first_hour(start),
            RequestRollup.hour < _first_hour(end),
        )
        .order_by(RequestRollup.hour)
    )
    return [Counts(EPOCH + row[0] * HOUR, *row[1:]) for row in db.session.execute(query)]


_NOTHING = {"llm_client_id": 0, "revision_number": 0, "api_key_id": 0}


def _first_hour(moment: datetime) -> int:
    """The first hour that begins at a moment or after it."""
    return hour_of(moment + HOUR - MICROSECOND)


def _sums() -> list[ColumnElement[Any]]:
    return _of_sqlite() if _is_sqlite() else _of_postgresql()


@cache
def _of_sqlite() -> list[ColumnElement[Any]]:
    return _columns(lambda octets: func.hex(octets, type_=Text))


@cache
def _of_postgresql() -> list[ColumnElement[Any]]:
    return _columns(lambda octets: func.encode(octets, "hex", type_=Text))


def _columns(digits: Callable[[Any], ColumnElement[str]]) -> list[ColumnElement[Any]]:
    """Octets as hexadecimal digits, which both databases can put one after the other."""
    joined = func.aggregate_strings
    return [
        *(func.sum(getattr(RequestRollup, name)).label(name) for name in NUMBERS),
        func.max(RequestRollup.last_at).label("last_at"),
        joined(cast(RequestRollup.causes, Text), ",").label("causes"),
        joined(digits(RequestRollup.latencies), "").label("latencies"),
        joined(digits(RequestRollup.first_tokens), "").label("first_tokens"),
    ]


def _outcomes(row: Any) -> Tally:
    return Tally(**{name: int(getattr(row, name)) for name in OUTCOMES})


def _tally(row: Any) -> Tally:
    causes: dict[str, int] = {}
    for found in json.loads(f"[{row.causes}]"):
        for code, count in found.items():
            causes[code] = causes.get(code, 0) + count
    return Tally(
        **{name: int(getattr(row, name)) for name in NUMBERS},
        last_at=row.last_at,
        causes=causes,
        latencies=histograms.added_up(bytes.fromhex(row.latencies)),
        first_tokens=histograms.added_up(bytes.fromhex(row.first_tokens)),
    )
