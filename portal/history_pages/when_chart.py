"""When the requests of a list were: from the hourly sums, or by the minute from the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from portal.charts import BarChart, Part, bars
from portal.database import db
from portal.formatting import number
from portal.history_pages.choices import Offered, fits, told_apart
from portal.history_search.conditions import Row, conditions
from portal.history_search.filters import OUTCOMES, READERS, Filters
from portal.request_history import stretches
from portal.request_history.numbering import moment_of
from portal.usage import summing
from portal.usage.series import Series, of_account, of_client
from portal.usage.tallies import Tally, outcome_of

MOST_ROWS = 20_000
LOOKS = {
    "answered": ("Answered", bars.MAIN),
    "cancelled": ("Visitor left", bars.SECOND),
    "refused": ("Refused", bars.REFUSED),
    "failed": ("Failed", bars.FAILED),
}


@dataclass(frozen=True)
class WhenChart:
    """The chart, and what has to be said beside it."""

    chart: BarChart
    note: str


def of(account_id: int, filters: Filters, found: Offered, select_url: str) -> WhenChart:
    """The chart of what a list shows, as near as the sums can tell."""
    if filters.span.by_the_minute:
        tallies, note = _from_rows(account_id, filters, found)
    else:
        tallies = _from_sums(account_id, filters, found)
        note = _ignored(filters, found)
    return WhenChart(_chart(filters, tallies, select_url), note)


def _from_sums(account_id: int, filters: Filters, found: Offered) -> list[Tally]:
    series = series_of(account_id, filters, found)
    return summing.outcomes_by_stretch([one.id for one in series], filters.span.borders())


def series_of(account_id: int, filters: Filters, found: Offered) -> list[Series]:
    """What is summed up: the account or client whole, or those of its parts that are chosen."""
    names = told_apart(found.client is not None)
    if any(filters[name] for name in names):
        return [part.series for part in found.parts if fits(part, filters, names)]
    return whole(account_id, found.client.id if found.client else None)


def whole(account_id: int, client_id: int | None) -> list[Series]:
    """Everything that was asked, the sandbox as well."""
    if client_id is None:
        return [of_account(account_id), of_account(account_id, sandbox=True)]
    return [of_client(account_id, client_id), of_client(account_id, client_id, sandbox=True)]


def _ignored(filters: Filters, found: Offered) -> str:
    """Which filters hourly sums cannot tell apart, in words."""
    known = {"client", *told_apart(found.client is not None)}
    if filters["status"] in OUTCOMES:
        known.add("status")
    names = [
        READERS[name][0].partition(" (")[0].lower() for name in filters.values if name not in known
    ]
    if not names:
        return ""
    told = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    return f"The chart counts by the hour and leaves out {told}; the list below heeds them."


def _from_rows(account_id: int, filters: Filters, found: Offered) -> tuple[list[Tally], str]:
    wanted = conditions(account_id, filters, found.client)
    walked = select(Row.id).where(*wanted.within()).order_by(Row.id.desc()).limit(MOST_ROWS)
    inner = walked.subquery()
    query = select(Row.id, Row.status).where(Row.id.in_(select(inner.c.id)), *wanted.loose)
    rows = db.session.execute(query).all()
    borders = filters.span.borders()
    tallies = [Tally() for _ in borders[:-1]]
    for row_id, status in rows:
        index = stretches.index_of(borders, moment_of(row_id))
        if index is not None:
            name = outcome_of(status)
            setattr(tallies[index], name, getattr(tallies[index], name) + 1)
    notes = []
    if len(rows) >= MOST_ROWS:
        notes.append(f"The chart shows the newest {number(MOST_ROWS)} requests.")
    if filters["q"]:
        notes.append("The chart does not heed the search; the list below does.")
    return tallies, " ".join(notes)


def _chart(filters: Filters, tallies: Sequence[Tally], select_url: str) -> BarChart:
    chosen = filters["status"] if filters["status"] in OUTCOMES else ""
    values = {name: tuple(getattr(tally, name) for tally in tallies) for name in LOOKS}
    shown = [chosen] if chosen else [n for n in LOOKS if n == "answered" or any(values[n])]
    return BarChart(
        title="When were the requests?",
        places=tuple(stretch.place for stretch in filters.span.stretches),
        parts=tuple(Part(LOOKS[name][0], values[name], LOOKS[name][1]) for name in shown),
        select_url=select_url,
        is_low=True,
    )
