"""The lines of the list: requests with the chosen columns, and days that are folded into sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from portal.formatting import milliseconds_in_words, money, number, plural
from portal.history_pages import columns as list_columns
from portal.request_history.rows import Row, row_of
from portal.request_history.time_range import TimeRange


class Cell(NamedTuple):
    """What stands in one column, with its classes; `token` is the look of a status."""

    look: str
    text: str
    token: str = ""


class Line(NamedTuple):
    """A request with what the chosen columns say of it."""

    id: int
    created_at: datetime
    day: str
    clock: str
    question: str
    answer: str
    cells: tuple[Cell, ...]


def lines(
    found: Sequence[Any], chosen: tuple[str, ...], span: TimeRange, currency: str
) -> list[Line]:
    """The rows of a page, in their order."""
    last = (span.end - timedelta(microseconds=1)).astimezone(span.zone)
    return [_line(one, chosen, span.zone, last, currency) for one in found]


def _line(
    found: Any, chosen: tuple[str, ...], zone: ZoneInfo, last: datetime, currency: str
) -> Line:
    row = row_of(found, currency)
    local = row.created_at.astimezone(zone)
    cells = tuple(_cell(name, found, row) for name in chosen)
    told = row.question_preview or "Empty", row.answer_preview or "No answer"
    return Line(row.id, row.created_at, _day(local, last), f"{local:%H:%M:%S}", *told, cells)


def _day(local: datetime, last: datetime) -> str:
    """Nothing on the last day of the range; the year only where it is another one."""
    if local.date() == last.date():
        return ""
    year = "" if local.year == last.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%b}{year}"


def _cell(name: str, found: Any, row: Row) -> Cell:
    if name == "status":
        return Cell("", row.status.word, row.status.token)
    return Cell(look_of(name), row.cost_text or "" if name == "cost" else _TEXTS[name](found))


@cache
def look_of(column: str) -> str:
    """The classes of a column's cells."""
    found = ["n"] if column in list_columns.NUMBERS else []
    found += [] if column in list_columns.ALWAYS_SEEN else ["only-wide"]
    return " ".join(found)


def _duration(milliseconds: int | None) -> str:
    return "" if milliseconds is None else milliseconds_in_words(milliseconds)


_TEXTS: dict[str, Callable[[Any], str]] = {
    "client": lambda found: found.llm_client_name,
    "took": lambda found: _duration(found.latency_ms),
    "first": lambda found: _duration(found.first_token_ms),
    "tokens": lambda found: number(found.tokens_in + found.tokens_out),
    "mode": lambda found: found.mode,
    "host": lambda found: found.hostname,
    "provider": lambda found: found.provider,
    "model": lambda found: found.model,
    "revision": lambda found: str(found.revision_number or ""),
    "cause": lambda found: found.error_code,
    "session": lambda found: f"{found.session_key[:8]}…" if found.session_key else "",
}


@dataclass(frozen=True)
class FoldedDay:
    """The sums of a client's day, in words."""

    day: str
    client_name: str
    requests: str
    outcomes: str
    tokens: str
    cost: str


def folded_days(found: Sequence[Any], zone: ZoneInfo, currency: str) -> list[FoldedDay]:
    """Days whose requests are gone; what the sums do not say is left out."""
    return [_folded(row, zone, currency) for row in found]


def _folded(row: Any, zone: ZoneInfo, currency: str) -> FoldedDay:
    sums = row.request if isinstance(row.request, dict) else {}
    counts = {name: value for name, value in sums.items() if isinstance(value, int)}
    told = [
        f"{number(counts[name])} {word}"
        for name, word in (
            ("answered", "answered"),
            ("refused", "refused"),
            ("cancelled", "left by the visitor"),
            ("failed", "failed"),
        )
        if counts.get(name)
    ]
    local = _begins(sums, row).astimezone(zone)
    return FoldedDay(
        day=f"{local:%a} {local.day} {local:%B} {local.year}",
        client_name=row.llm_client_name,
        requests=plural(counts.get("requests", 0), "request", "requests"),
        outcomes=", ".join(told),
        tokens=number(counts.get("tokens_in", 0) + counts.get("tokens_out", 0)),
        cost=money(counts.get("cost_micros", 0), currency),
    )


def _begins(sums: dict[str, Any], row: Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(sums.get("from")))
    except ValueError:
        found = row.created_at
    return found if found.tzinfo else found.replace(tzinfo=UTC)
