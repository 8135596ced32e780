"""The numbers of a page of usage: a tally for each stretch of the range, and of the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from portal.overview import last_rows
from portal.overview.scope import Scope
from portal.request_history import stretches
from portal.request_history.time_range import TimeRange
from portal.usage import summing
from portal.usage.summing import Parts
from portal.usage.tallies import Tally


@dataclass(frozen=True)
class Figures:
    """Tallies of stretches, now and before; of parts; `is_cut` if not all rows were counted."""

    span: TimeRange
    now: Sequence[Tally]
    before: Sequence[Tally]
    parts: Parts = field(default_factory=Parts)
    is_cut: bool = False

    @cached_property
    def total(self) -> Tally:
        return _total(self.now)

    @cached_property
    def total_before(self) -> Tally:
        return _total(self.before)


def _total(tallies: Sequence[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def of(scope: Scope, span: TimeRange) -> Figures:
    """Out of the hourly sums; of a range that goes by the minute, out of its rows."""
    return _from_rows(scope, span) if span.by_the_minute else _from_sums(scope, span)


def _from_sums(scope: Scope, span: TimeRange) -> Figures:
    before = span.previous.borders()[:-1]
    tallies = summing.by_stretch(scope.numbers, (*before, *span.borders()))
    parts = scope.parts
    return Figures(
        span,
        tallies[len(before) :],
        tallies[: len(before)],
        Parts() if parts is None else summing.by_part(parts, span.start, span.end),
    )


def _from_rows(scope: Scope, span: TimeRange) -> Figures:
    before = span.previous.borders()[:-1]
    borders = (*before, *span.borders())
    tallies = [Tally() for _ in borders[:-1]]
    found = last_rows.counted(scope, span.previous.start, span.end)
    parts = Parts(key_names=found.key_names)
    for one, part in found.rows:
        index = stretches.index_of(borders, one.at)
        if index is not None:
            tallies[index].count(one)
            if index >= len(before):
                parts.tallies.setdefault(part, Tally()).count(one)
    now, earlier = tallies[len(before) :], tallies[: len(before)]
    return Figures(span, now, earlier, parts, found.is_cut)
