"""Counting closed hours anew, from the rows: for sums that a fault or a new version made wrong.

An hour is closed an hour after its end: no prompt takes that long. Hours from which rows were
folded keep the sums that they have.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, or_, select
from sqlalchemy.engine import Row

from portal.database import db
from portal.request_history import numbering
from portal.request_history.models import LLMClientRequests, Prompt
from portal.usage import counting
from portal.usage import tallies as tallies_of
from portal.usage.models import RequestRollup, RollupRebuild, UsageSeries
from portal.usage.series import Series, all_of
from portal.usage.tallies import EPOCH, Tally, hour_of

ROWS, SESSIONS = LLMClientRequests.__table__, Prompt.__table__
ROLLUPS, SERIES = RequestRollup.__table__, UsageSeries.__table__
AT_ONCE = 5_000


def last_closed(now: datetime) -> int:
    """The newest hour that may be counted anew."""
    return hour_of(now) - 2


def closes_at(hour: int) -> datetime:
    """When an hour may be counted anew."""
    return EPOCH + timedelta(hours=hour + 2)


def wish(account_id: int | None, since: datetime | None, now: datetime) -> RollupRebuild:
    """Count the hours since then anew, of an account or of everybody; all hours without a time.

    The clock rings for it; what is asked meanwhile is counted as ever.
    """
    last = last_closed(now)
    first = hour_of(since) if since is not None else _first_hour(account_id, last)
    first = min(first, last + 1)
    made = RollupRebuild(account_id=account_id, first_hour=first, last_hour=last, next_hour=first)
    made.next_attempt_at = now
    db.session.add(made)
    db.session.flush()
    return made


def _first_hour(account_id: int | None, last: int) -> int:
    """That of the oldest request."""
    oldest = select(ROWS.c.id).where(ROWS.c.id >= numbering.FIRST_REQUEST)
    if account_id is not None:
        oldest = oldest.where(ROWS.c.account_id == account_id)
    found = db.session.scalar(oldest.order_by(ROWS.c.id).limit(1))
    return last + 1 if found is None else hour_of(numbering.moment_of(found))


def under_way(account_id: int) -> RollupRebuild | None:
    """What is being counted anew for this account just now, the newest."""
    query = select(RollupRebuild).where(
        or_(RollupRebuild.account_id == account_id, RollupRebuild.account_id.is_(None)),
        RollupRebuild.finished_at.is_(None),
    )
    return db.session.scalars(query.order_by(RollupRebuild.id.desc()).limit(1)).first()


def counted(
    connection: Connection, account_id: int, hour: int
) -> tuple[dict[counting.Key, Tally], dict[int, Series]]:
    """The sums of an account's hour as its rows have them; reads only, in bounded portions."""
    tallies: dict[counting.Key, Tally] = {}
    series: dict[int, Series] = {}
    for row in _rows(connection, account_id, hour):
        begins = row.started_at is not None and row.started_at == row.created_at
        one = tallies_of.counted(row._mapping, begins_session=begins)
        for found in all_of(row._mapping):
            series[found.id] = found
            tallies.setdefault((hour, found.id), Tally()).count(one)
    return tallies, series


def _rows(connection: Connection, account_id: int, hour: int) -> Iterator[Row[Any]]:
    start = EPOCH + timedelta(hours=hour)
    first, last = numbering.first_of(start), numbering.first_of(start + timedelta(hours=1))
    while True:
        found = connection.execute(
            _HOUR, {"account_id": account_id, "first": first, "last": last}
        ).all()
        yield from found
        if len(found) < AT_ONCE:
            return
        first = found[-1].id + 1


def replace(
    connection: Connection,
    account_id: int,
    hour: int,
    tallies: dict[counting.Key, Tally],
    series: dict[int, Series],
) -> None:
    """Put new sums in the place of an hour's old ones, for all readers at once."""
    connection.execute(_REMOVE, {"account_id": account_id, "hour": hour})
    if tallies:
        counting.add(connection, tallies, series)


_HOUR = (
    select(
        ROWS.c.id,
        ROWS.c.created_at,
        ROWS.c.account_id,
        ROWS.c.llm_client_id,
        ROWS.c.request_id,
        ROWS.c.provider,
        ROWS.c.model,
        ROWS.c.mode,
        ROWS.c.revision_number,
        ROWS.c.api_key_id,
        ROWS.c.status,
        ROWS.c.error_code,
        *(ROWS.c[name] for name in ("tokens_in", "tokens_out", "cost_micros")),
        *(ROWS.c[name] for name in ("latency_ms", "first_token_ms")),
        SESSIONS.c.started_at,
    )
    .outerjoin_from(
        ROWS,
        SESSIONS,
        and_(ROWS.c.session_key != "", SESSIONS.c.session_key == ROWS.c.session_key),
    )
    .where(
        ROWS.c.account_id == bindparam("account_id"),
        ROWS.c.id >= bindparam("first"),
        ROWS.c.id < bindparam("last"),
    )
    .order_by(ROWS.c.id)
    .limit(AT_ONCE)
)
_REMOVE = delete(ROLLUPS).where(
    ROLLUPS.c.hour == bindparam("hour"),
    ROLLUPS.c.series_id.in_(
        select(SERIES.c.id).where(SERIES.c.account_id == bindparam("account_id"))
    ),
)
