"""Sessions by key, newest first: no OFFSET, no COUNT, and bounded where no index helps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from portal.database import db
from portal.history_pages.choices import Client
from portal.llm_clients.models import LLMClient
from portal.request_history import ranges
from portal.request_history.models import LLMClientRequests, Prompt
from portal.request_history.numbering import EPOCH
from portal.request_history.time_range import TimeRange

PAGE_SIZE = 50
MOST_ROWS = 5_000
MICROSECOND = timedelta(microseconds=1)
RATINGS = {"helpful": "Helpful", "not": "Not helpful", "rated": "Rated", "none": "Not rated"}


@dataclass(frozen=True)
class SessionFilters:
    """What a list of sessions is narrowed to."""

    span: TimeRange
    values: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def query(self, **changes: str | None) -> dict[str, str]:
        """For an address with other values; None or "" leaves one out."""
        merged = {**self.span.query, **self.values, **changes}
        return {name: value for name, value in merged.items() if value}


def parse(values: Mapping[str, str], zone: ZoneInfo, now: datetime) -> SessionFilters:
    """The filters that an address means; what makes no sense is left out."""
    known = {"client": values.get("client", "").strip()[:200]}
    known["rating"] = values.get("rating", "") if values.get("rating") in RATINGS else ""
    known["errors"] = "1" if values.get("errors") == "1" else ""
    span = ranges.parse(values, zone, now)
    return SessionFilters(span, {name: value for name, value in known.items() if value})


@dataclass(frozen=True)
class SessionPage:
    """A page; `older` and `newer` are the cursors of those beside it, `looked_to` how far was
    looked."""

    rows: Sequence[Any]
    older: str = ""
    newer: str = ""
    looked_to: datetime | None = None


# A session is called by what was asked first.
_FIRST = (
    select(LLMClientRequests.question_preview)
    .where(LLMClientRequests.session_key == Prompt.session_key)
    .order_by(LLMClientRequests.id)
    .limit(1)
    .correlate(Prompt)
    .scalar_subquery()
)


def page(
    account_id: int,
    filters: SessionFilters,
    client: Client | None,
    before: str = "",
    after: str = "",
) -> SessionPage:
    """Sessions whose last request was in the range, newest first.

    Those older than the cursor `before`, or those that are next newer than `after`.
    """
    if cursor_of(after) is not None and not before:
        return _newer(account_id, filters, client, after)
    walked = _walked(account_id, filters, client).where(*_older_than(cursor_of(before)))
    walked = walked.order_by(*_NEWEST_FIRST)
    loose = _loose(filters)
    rows = _rows(walked, loose, _NEWEST_FIRST)
    shown = rows[:PAGE_SIZE]
    newer = cursor(shown[0][0]) if shown and before else ""
    if len(rows) > PAGE_SIZE:
        return SessionPage(shown, cursor(shown[-1][0]), newer)
    if loose:
        last = db.session.execute(walked.limit(MOST_ROWS)).all()
        if len(last) == MOST_ROWS:
            return SessionPage(rows, cursor(last[-1]), newer, last[-1].last_at)
    return SessionPage(rows, newer=newer)


def _newer(
    account_id: int, filters: SessionFilters, client: Client | None, after: str
) -> SessionPage:
    """The page above one; the newest of all where there are no more than fit."""
    walked = _walked(account_id, filters, client).where(*_newer_than(cursor_of(after)))
    rows = _rows(walked.order_by(*_OLDEST_FIRST), _loose(filters), _OLDEST_FIRST)
    if len(rows) <= PAGE_SIZE:
        return page(account_id, filters, client)
    shown = rows[PAGE_SIZE - 1 :: -1]
    return SessionPage(shown, cursor(shown[-1][0]), cursor(shown[0][0]))


def _rows(walked: Select[Any], loose: list[Any], order: Sequence[Any]) -> Sequence[Any]:
    """One more than a page has."""
    inner = walked.limit(MOST_ROWS if loose else PAGE_SIZE + 1).subquery()
    query = (
        select(Prompt, LLMClient.name, LLMClient.hashed_id, _FIRST)
        .join(LLMClient, LLMClient.id == Prompt.llm_client_id)
        .where(Prompt.id.in_(select(inner.c.id)), *loose)
        .order_by(*order)
        .limit(PAGE_SIZE + 1)
    )
    return db.session.execute(query).all()


_NEWEST_FIRST = (Prompt.last_at.desc(), Prompt.id.desc())
_OLDEST_FIRST = (Prompt.last_at, Prompt.id)
Cursor = tuple[datetime, int]


def _older_than(place: Cursor | None) -> list[ColumnElement[bool]]:
    if place is None:
        return []
    moment, number = place
    beside = and_(Prompt.last_at == moment, Prompt.id < number)
    return [Prompt.last_at <= moment, or_(Prompt.last_at < moment, beside)]


def _newer_than(place: Cursor | None) -> list[ColumnElement[bool]]:
    if place is None:
        return []
    moment, number = place
    beside = and_(Prompt.last_at == moment, Prompt.id > number)
    return [Prompt.last_at >= moment, or_(Prompt.last_at > moment, beside)]


def _walked(account_id: int, filters: SessionFilters, client: Client | None) -> Select[Any]:
    query = select(Prompt.id, Prompt.last_at).where(
        Prompt.last_at >= filters.span.start, Prompt.last_at < filters.span.end
    )
    if client is not None:
        query = query.where(Prompt.llm_client_id == client.id, Prompt.account_id + 0 == account_id)
    else:
        query = query.where(Prompt.account_id == account_id)
    return query


def _loose(filters: SessionFilters) -> list[Any]:
    found: list[Any] = []
    if filters["errors"]:
        found.append(Prompt.error_count > 0)
    rating = func.coalesce(Prompt.rating, 0)
    by_name = {"helpful": rating > 0, "not": rating < 0, "rated": rating != 0, "none": rating == 0}
    if filters["rating"]:
        found.append(by_name[filters["rating"]])
    return found


def cursor(row: Any) -> str:
    """Where the next page begins: the time of the last one, and its number."""
    return f"{(row.last_at - EPOCH) // MICROSECOND}-{row.id}"


def cursor_of(typed: str) -> Cursor | None:
    """A cursor out of an address; None for what is none."""
    moment, _, number = typed.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 18 for part in (moment, number)):
        return None
    try:
        return EPOCH + int(moment) * MICROSECOND, int(number)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC), int(number)


def for_account(account_id: int, session_key: str) -> Prompt | None:
    """The account's session with this key; None for any other's."""
    return db.session.scalar(
        select(Prompt).where(Prompt.session_key == session_key, Prompt.account_id == account_id)
    )
