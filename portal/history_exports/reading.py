"""Reading what goes into a file, newest first, with bounded memory and bounded statements.

The history is walked in windows of so many rows that an index gives; in each of them the rows
are read one by one as they are taken. So a statement never looks at more than a window, and never
more than a few bodies are held, however large they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Select, Text, cast, func, select

from portal.history_exports.formats import content_of
from portal.history_exports.selection import Selection
from portal.history_search import words
from portal.history_search.conditions import Row
from portal.history_search.index import Hunt, index_of
from portal.llm_clients.models import LLMClient
from portal.request_history.models import RequestBody

WINDOW = 5_000
AT_ONCE = 200  # ids named in a statement
HELD = 16  # rows with their bodies
COLUMNS = (
    Row.id,
    Row.created_at,
    Row.llm_client_name,
    LLMClient.hashed_id.label("client_hashed_id"),
    Row.revision_number,
    Row.hostname,
    Row.mode,
    Row.session_key,
    Row.request_id,
    Row.api_key_id,
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
    Row.price_version,
    # As text: what is no JSON must not end the reading.
    cast(RequestBody.request, Text).label("request"),
    cast(RequestBody.response, Text).label("response"),
)
Found = tuple[int, Any | None]


def rows_below(connection: Connection, selection: Selection, cursor: int) -> Iterator[Found]:
    """Rows with smaller numbers than the cursor; a number alone tells how far was looked.

    Close the iterator before the transaction ends, when it is not taken to its end.
    """
    while (border := _border(connection, selection, cursor)) is not None:
        for query in _queries(connection, selection, border, cursor):
            yield from _rows(connection, query, selection.terms)
        yield border, None
        cursor = border


def _border(connection: Connection, selection: Selection, cursor: int) -> int | None:
    """The number down to which a window reaches; None where nothing is left."""
    within = selection.found.within(cursor)
    window = select(Row.id).where(*within).order_by(Row.id.desc()).limit(WINDOW).subquery()
    return connection.scalar(select(func.min(window.c.id)))


def _queries(
    connection: Connection, selection: Selection, border: int, cursor: int
) -> Iterator[Select[Any]]:
    """All of a window, or those of its rows in which the terms may be."""
    found = selection.found
    if not selection.terms:
        whole = select(*COLUMNS).outerjoin_from(Row, RequestBody, RequestBody.id == Row.id)
    else:
        whole = select(*COLUMNS).join_from(Row, RequestBody, RequestBody.id == Row.id)
    whole = whole.outerjoin(LLMClient, LLMClient.id == Row.llm_client_id)
    whole = whole.where(*found.keyed, *found.loose).order_by(Row.id.desc())
    candidates = _candidates(connection, selection, border, cursor)
    if candidates is None:
        yield whole.where(Row.id >= border, Row.id < cursor)
        return
    for start in range(0, len(candidates), AT_ONCE):
        yield whole.where(Row.id.in_(candidates[start : start + AT_ONCE]))


def _candidates(
    connection: Connection, selection: Selection, border: int, cursor: int
) -> Sequence[int] | None:
    """What the index of words has of a window, and what it does not know yet; None for all."""
    index = index_of(connection)
    if selection.is_of_session or not selection.terms:
        return None
    if not index.can_find(connection, selection.terms):
        return None
    hunt = Hunt(selection.account_id, selection.llm_client_id, selection.terms, border, cursor)
    return list(index.find(connection, hunt))


def _rows(connection: Connection, query: Select[Any], terms: tuple[str, ...]) -> Iterator[Found]:
    with connection.execute(query, execution_options={"yield_per": HELD}) as result:
        for row in result:
            yield row.id, row if not terms or _holds(row, terms) else None


def _holds(row: Any, terms: tuple[str, ...]) -> bool:
    said = words.words_of(
        content_of(row.request), content_of(row.response), row.error_text, row.session_key
    )
    return all(term in said for term in terms)
