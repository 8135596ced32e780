"""Pages of requests, newest first, by key: no OFFSET, no COUNT, and no page that costs more than
another one, however many rows there are.

What no index answers is looked for row by row, over at most so many rows; then the page says how
far it looked, and its next page goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, func, select

from portal.database import db
from portal.history_search import words
from portal.history_search.conditions import Client, Conditions, Row, conditions
from portal.history_search.filters import Filters
from portal.history_search.index import AT_ONCE, Hunt, index_of
from portal.llm_clients.models import LLMClient
from portal.request_history import numbering
from portal.request_history.models import RequestBody

PAGE_SIZE = 50
MOST_ROWS = 10_000
FEW_ROWS = 400
MOST_BODIES = 2_000
HELD = 64  # rows with their bodies
COLUMNS = (
    Row.id,
    Row.created_at,
    Row.llm_client_id,
    Row.llm_client_name,
    LLMClient.hashed_id.label("client_hashed_id"),
    Row.session_key,
    Row.request_id,
    Row.revision_number,
    Row.hostname,
    Row.mode,
    Row.provider,
    Row.model,
    Row.status,
    Row.error_code,
    Row.error_text,
    Row.latency_ms,
    Row.first_token_ms,
    Row.tokens_in,
    Row.tokens_out,
    Row.cost_micros,
    Row.question_preview,
    Row.answer_preview,
)


@dataclass(frozen=True)
class Page:
    """`older` and `newer` are cursors of the neighbouring pages, if there are any.

    `looked_to` is the id down to which was looked, when the page did not look at everything.
    """

    rows: Sequence[Any]
    older: str | None = None
    newer: str | None = None
    looked_to: int | None = None
    is_walked: bool = False


def key_of(typed: str) -> int | None:
    """A cursor out of an address; None for what is none."""
    if not (typed.isascii() and typed.isdigit() and len(typed) < 20):
        return None
    return int(typed) if int(typed) < 2**63 else None


def page(
    account_id: int,
    filters: Filters,
    llm_client: Client | None,
    before: str = "",
    after: str = "",
) -> Page:
    """A page of the account's requests; cursors are those of another page's `older` and `newer`."""
    found = conditions(account_id, filters, llm_client)
    older_than, newer_than = key_of(before), key_of(after)
    if filters.terms:
        return _searched(account_id, filters.terms, found, older_than)
    if newer_than is not None:
        return _newer(found, newer_than)
    is_outcome = filters.values.keys() == {"status"} and not filters["status"].isdigit()
    return _older(found, older_than, is_usual=is_outcome)


def columns_of(*conditions: Any) -> Select[Any]:
    """Rows as a list shows them."""
    return (
        select(*COLUMNS)
        .outerjoin_from(Row, LLMClient, LLMClient.id == Row.llm_client_id)
        .where(*conditions)
    )


def _older(found: Conditions, before: int | None, *, is_usual: bool) -> Page:
    """`is_usual` where many of the rows are wanted: few of them fill a page then."""
    within = found.within(before)
    if not found.loose:
        rows = _fetched(columns_of(*within).order_by(Row.id.desc()))
        return _page(rows, before)
    for most in (FEW_ROWS, MOST_ROWS) if is_usual else (MOST_ROWS,):
        walked = select(Row.id).where(*within).order_by(Row.id.desc()).limit(most).subquery()
        rows = _fetched(
            columns_of(Row.id.in_(select(walked.c.id)), *found.loose).order_by(Row.id.desc())
        )
        if len(rows) > PAGE_SIZE:
            return _page(rows, before)
    border, count = db.session.execute(select(func.min(walked.c.id), func.count())).one()
    if count < MOST_ROWS:
        return _page(rows, before)
    return _page(rows, before, looked_to=border)


def _fetched(query: Select[Any]) -> Sequence[Any]:
    return db.session.execute(query.limit(PAGE_SIZE + 1)).all()


def _page(rows: Sequence[Any], before: int | None, looked_to: int | None = None) -> Page:
    more, rows = len(rows) > PAGE_SIZE, rows[:PAGE_SIZE]
    older = str(rows[-1].id) if more else (str(looked_to) if looked_to is not None else None)
    newer = str(rows[0].id) if rows and before is not None else None
    return Page(rows, older, newer, looked_to)


def _newer(found: Conditions, after: int) -> Page:
    """The rows just above a cursor; loose conditions look up over as many rows as down."""
    within = [*found.keyed, Row.id > max(after, found.first - 1), Row.id < found.last]
    query = columns_of(*within)
    if found.loose:
        walked = select(Row.id).where(*within).order_by(Row.id).limit(MOST_ROWS).subquery()
        query = columns_of(Row.id.in_(select(walked.c.id)), *found.loose)
    rows = _fetched(query.order_by(Row.id))
    more, rows = len(rows) > PAGE_SIZE, list(reversed(rows[:PAGE_SIZE]))
    if not rows:
        return _older(found, None, is_usual=False)
    return Page(rows, str(rows[-1].id), str(rows[0].id) if more else None)


def _searched(
    account_id: int, terms: tuple[str, ...], found: Conditions, before: int | None
) -> Page:
    """Candidates from the index, or by walking where the terms are too short for one; verified."""
    connection = db.session.connection()
    last = found.last if before is None else min(before, found.last)
    index = index_of(connection)
    is_walked = not index.can_find(connection, terms)
    candidates = (
        _walked(found, last)
        if is_walked
        else index.find(connection, Hunt(account_id, None, terms, found.first, last))
    )
    rows: list[Any] = []
    looked_at, bodies, looked_to, most = 0, 0, None, AT_ONCE
    while len(rows) <= PAGE_SIZE and (portion := list(islice(candidates, most))):
        verified, read = _verified(connection, portion, terms, found)
        rows += verified
        looked_at, bodies = looked_at + len(portion), bodies + read
        most = min(MOST_ROWS - looked_at, MOST_BODIES - bodies)  # all the rest, in one statement
        if most <= 0 and len(rows) <= PAGE_SIZE:
            looked_to = portion[-1]
            break
    page = _page(rows, before, looked_to)
    return Page(page.rows, page.older, None, looked_to, is_walked)


def _walked(found: Conditions, last: int) -> Iterator[int]:
    most = AT_ONCE
    while True:
        query = select(Row.id).where(*found.within(last)).order_by(Row.id.desc()).limit(most)
        ids = db.session.scalars(query).all()
        yield from ids
        if len(ids) < most:
            return
        last, most = ids[-1], MOST_BODIES


def _verified(
    connection: Connection, ids: list[int], terms: tuple[str, ...], found: Conditions
) -> tuple[list[Any], int]:
    """The rows that fulfil all conditions and hold all terms; how many bodies were read.

    Few bodies are held at once, however many there are, and none is read for a page that is full.
    """
    query = (
        columns_of(Row.id.in_(ids), *found.keyed, *found.loose)
        .add_columns(RequestBody.request, RequestBody.response)
        .join(RequestBody, RequestBody.id == Row.id)
        .order_by(Row.id.desc())
    )
    rows: list[Any] = []
    read = 0
    with connection.execute(query, execution_options={"yield_per": HELD}) as found_rows:
        for row in found_rows:
            read += 1
            if _holds(row, terms):
                rows.append(row)
            if len(rows) > PAGE_SIZE:
                break
    return rows, read


def _holds(row: Any, terms: tuple[str, ...]) -> bool:
    said = words.words_of(row.request, row.response, row.error_text, row.session_key)
    return all(term in said for term in terms)


def folded(account_id: int, filters: Filters, llm_client: Client | None) -> Sequence[Any]:
    """Days of the range whose requests are folded into sums already, the newest 50."""
    first = numbering.first_of_day(filters.span.start)
    last = numbering.first_of_day(filters.span.end)
    query = (
        columns_of(Row.account_id == account_id, Row.id >= first, Row.id < last)
        .add_columns(RequestBody.request)
        .outerjoin(RequestBody, RequestBody.id == Row.id)
        .order_by(Row.id.desc())
        .limit(PAGE_SIZE)
    )
    if llm_client is not None:
        query = query.where(Row.llm_client_id == llm_client.id)
    return db.session.execute(query).all()
