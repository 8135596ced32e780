"""The rows of an hour or two, for charts that are finer than the hourly sums; at most so many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, select

from portal.database import db
from portal.overview.scope import Scope
from portal.request_history import numbering
from portal.request_history.models import LLMClientRequests, Prompt
from portal.usage import tallies
from portal.usage.series import Series
from portal.usage.tallies import Counted
from portal.vault.models import AuthToken

Row = LLMClientRequests
MOST_ROWS = 20_000
COLUMNS = (
    Row.created_at,
    Row.account_id,
    Row.llm_client_id,
    Row.provider,
    Row.model,
    Row.mode,
    Row.revision_number,
    Row.api_key_id,
    Row.status,
    Row.error_code,
    Row.tokens_in,
    Row.tokens_out,
    Row.cost_micros,
    Row.latency_ms,
    Row.first_token_ms,
    Prompt.started_at,
    AuthToken.name.label("key_name"),
)


@dataclass(frozen=True)
class Rows:
    """Rows as they are counted, each with its part; `is_cut` if there were more of them."""

    rows: list[tuple[Counted, Series]]
    key_names: dict[int, str]
    is_cut: bool


def counted(scope: Scope, start: datetime, end: datetime, most: int = MOST_ROWS) -> Rows:
    """The newest rows of a stretch of time."""
    found = db.session.execute(_query(scope, start, end).limit(most + 1)).mappings().all()
    rows = [
        (_counted(row), scope.part_of(dict(row)))
        for row in found[:most]
        if scope.includes(row["mode"], row["provider"])
    ]
    key_names = {row["api_key_id"]: row["key_name"] for row in found if row["key_name"]}
    return Rows(rows, key_names, len(found) > most)


def _counted(row: Any) -> Counted:
    begins = row["started_at"] is not None and row["started_at"] == row["created_at"]
    return tallies.counted(row, begins_session=begins)


def _query(scope: Scope, start: datetime, end: datetime) -> Select[Any]:
    """By the index of the client, or of the account, whose column is then hidden (`+ 0`)."""
    if scope.llm_client is not None:
        owner = (
            Row.llm_client_id == scope.llm_client.id,
            Row.account_id + 0 == scope.account.id,
        )
    else:
        owner = (Row.account_id == scope.account.id,)
    return (
        select(*COLUMNS)
        .outerjoin_from(
            Row, Prompt, and_(Row.session_key != "", Prompt.session_key == Row.session_key)
        )
        .outerjoin(
            AuthToken, and_(AuthToken.id == Row.api_key_id, AuthToken.account_id == Row.account_id)
        )
        .where(*owner, Row.id >= numbering.first_of(start), Row.id < numbering.first_of(end))
        .order_by(Row.id.desc())
    )
