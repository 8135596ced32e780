"""Reading one request with its JSON as text, and what was said in its session before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account
from portal.database import db
from portal.request_history import stored
from portal.request_history.models import LLMClientRequests, RequestBody
from portal.request_history.numbering import FIRST_REQUEST
from portal.request_history.stored import LARGEST_READ, Stored

Row = LLMClientRequests
MOST_TURNS = 30
LONGEST_OF_TURN = 40_000
REQUEST, RESPONSE = cast(RequestBody.request, Text), cast(RequestBody.response, Text)


@dataclass(frozen=True)
class Whole:
    """A row with what was sent and what came back; neither is there past its retention."""

    row: LLMClientRequests
    has_body: bool
    request: Stored | None
    response: Stored | None


def for_account(account: Account, request_id: int) -> Whole | None:
    """The account's request; None for any other's, and for a day's sums."""
    row = db.session.scalar(
        select(Row)
        .where(Row.account_id == account.id, Row.id == request_id, Row.is_aggregation.is_(False))
        .options(joinedload(Row.llm_client))
    )
    if row is None:
        return None
    body = db.session.execute(_body(LARGEST_READ).where(RequestBody.id == row.id)).one_or_none()
    if body is None:
        return Whole(row, False, None, None)
    _, request, length, response, response_length = body
    return Whole(row, True, stored.read(request, length), stored.read(response, response_length))


def _body(longest: int) -> Any:
    return select(
        RequestBody.id,
        func.substr(REQUEST, 1, longest),
        func.length(REQUEST),
        func.substr(RESPONSE, 1, longest),
        func.length(RESPONSE),
    )


def raw(account: Account, request_id: int, part: str) -> str | None:
    """The JSON as it is stored, whole; `part` is `request` or `response`."""
    column = REQUEST if part == "request" else RESPONSE
    query = select(column).where(RequestBody.account_id == account.id, RequestBody.id == request_id)
    return db.session.scalar(query)


Turn = tuple[Any, Stored | None, Stored | None]
_SIDES = (
    func.substr(REQUEST, 1, LONGEST_OF_TURN).label("request"),
    func.length(REQUEST).label("request_length"),
    func.substr(RESPONSE, 1, LONGEST_OF_TURN).label("response"),
    func.length(RESPONSE).label("response_length"),
)
_OF_TURN = (
    Row.id,
    Row.created_at,
    Row.status,
    Row.error_code,
    Row.error_text,
    Row.revision_number,
    Row.latency_ms,
    Row.question_preview,
    Row.answer_preview,
    RequestBody.id.label("body_id"),
)


def turns(row: LLMClientRequests, most: int = MOST_TURNS) -> list[Turn]:
    """The session's requests up to this one, oldest first, each with both sides."""
    query = _turns(*_of_session(row), Row.id <= row.id).order_by(Row.id.desc()).limit(most)
    return [_turn(found) for found in reversed(db.session.execute(query).all())]


def turns_of(account_id: int, session_key: str, after: int, most: int) -> list[Turn]:
    """The session's requests after a number, oldest first."""
    query = _turns(Row.session_key == session_key, Row.account_id + 0 == account_id, Row.id > after)
    found = db.session.execute(query.order_by(Row.id).limit(most)).all()
    return [_turn(one) for one in found]


def _turns(*conditions: Any) -> Any:
    query = select(*_OF_TURN, *_SIDES).outerjoin(RequestBody, RequestBody.id == Row.id)
    return query.where(*conditions)


def _turn(found: Any) -> Turn:
    return (
        found,
        stored.read(found.request, found.request_length),
        stored.read(found.response, found.response_length),
    )


def neighbours(row: LLMClientRequests) -> tuple[int | None, int | None]:
    """The numbers of the account's requests right before and right after this one."""
    own = select(Row.id).where(Row.account_id == row.account_id, Row.is_aggregation.is_(False))
    older = own.where(Row.id < row.id, Row.id >= FIRST_REQUEST).order_by(Row.id.desc()).limit(1)
    newer = own.where(Row.id > row.id).order_by(Row.id).limit(1)
    found = db.session.execute(select(older.scalar_subquery(), newer.scalar_subquery())).one()
    return found[0], found[1]


def _of_session(row: LLMClientRequests) -> list[Any]:
    return [Row.session_key == row.session_key, Row.account_id + 0 == row.account_id]


def before(row: LLMClientRequests) -> int | None:
    """The number of the request before this one in its session."""
    if not row.session_key:
        return None
    query = select(Row.id).where(*_of_session(row), Row.id < row.id)
    return db.session.scalar(query.order_by(Row.id.desc()).limit(1))
