"""What an account's history loses with time: first what was said, then rows, then sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, delete, select

from portal.history_keeping.folding import fold_some
from portal.history_keeping.removing import BATCH, BODIES, remove_bodies
from portal.request_history import numbering
from portal.request_history.models import Prompt

SESSIONS = Prompt.__table__


@dataclass(frozen=True)
class Terms:
    """How long an account keeps what; local days, today included."""

    account_id: int
    zone: ZoneInfo
    bodies_days: int
    rows_days: int

    def border(self, days: int, now: datetime) -> datetime:
        """The beginning of the first local day that is kept."""
        midnight = now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight - timedelta(days=days)


def keep_some(connection: Connection, terms: Terms, now: datetime) -> int:
    """One bounded batch of what is over; how much that was, 0 when nothing is left to do."""
    return (
        _bodies(connection, terms, now)
        or fold_some(connection, terms.account_id, terms.zone, terms.border(terms.rows_days, now))
        or _sessions(connection, terms, now)
    )


def _bodies(connection: Connection, terms: Terms, now: datetime) -> int:
    border = terms.border(min(terms.bodies_days, terms.rows_days), now)
    ids = connection.scalars(
        _OLD_BODIES,
        {
            "account_id": terms.account_id,
            "first": numbering.FIRST_REQUEST,
            "last": numbering.first_of(border),
        },
    ).all()
    if ids:
        remove_bodies(connection, ids)
    return len(ids)


def _sessions(connection: Connection, terms: Terms, now: datetime) -> int:
    border = terms.border(terms.rows_days, now)
    ids = connection.scalars(
        _OLD_SESSIONS, {"account_id": terms.account_id, "border": border}
    ).all()
    if ids:
        connection.execute(_NO_SESSIONS, {"ids": list(ids)})
    return len(ids)


_OLD_BODIES = (
    select(BODIES.c.id)
    .where(
        BODIES.c.account_id == bindparam("account_id"),
        BODIES.c.id >= bindparam("first"),
        BODIES.c.id < bindparam("last"),
    )
    .order_by(BODIES.c.id)
    .limit(BATCH)
)
_OLD_SESSIONS = (
    select(SESSIONS.c.id)
    .where(
        SESSIONS.c.account_id == bindparam("account_id"), SESSIONS.c.last_at < bindparam("border")
    )
    .order_by(SESSIONS.c.last_at)
    .limit(BATCH)
)
_NO_SESSIONS = delete(SESSIONS).where(SESSIONS.c.id.in_(bindparam("ids", expanding=True)))
