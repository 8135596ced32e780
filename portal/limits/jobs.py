"""Giving back what prompts reserved that never came to an end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import bindparam, delete, select, update

from portal.database import db, utc_now
from portal.job_queue import Ring, job, job_name, ring_key, sweep
from portal.limits.models import BudgetReservation, BudgetUse

MOST_AT_ONCE = 100


@sweep
def expired_reservations(now: datetime) -> Iterator[Ring]:
    """Reservations of prompts whose process was killed."""
    query = (
        select(BudgetReservation.id, BudgetReservation.expires_at)
        .where(BudgetReservation.expires_at <= now)
        .order_by(BudgetReservation.expires_at)
        .limit(MOST_AT_ONCE)
    )
    for row_id, expires_at in db.session.execute(query):
        yield Ring(job_name(give_back), (row_id,), ring_key(row_id, 0, expires_at, now))


@job
def give_back(reservation_id: int) -> None:
    """Take an expired reservation out of the sums that it is in; once, whoever comes twice.

    The sums are locked first, as the writer of the history does it (reserving.py). Until then an
    advance may have become smaller, or been closed and expire later.
    """
    now = utc_now()
    found = db.session.scalar(
        select(BudgetReservation)
        .where(BudgetReservation.id == reservation_id)
        .where(BudgetReservation.expires_at <= now)
    )
    if found is not None:
        query = select(_USES.c.id).where(_USES.c.id.in_(found.uses)).order_by(_USES.c.id)
        db.session.execute(query.with_for_update()).all()
        gone = db.session.execute(_DELETE, {"reservation_id": reservation_id, "now": now}).first()
        if gone is not None:
            less = {"t": gone.tokens, "m": gone.micros}
            db.session.execute(_LESS, [{"use_id": use_id, **less} for use_id in gone.uses])
    db.session.commit()


_USES = BudgetUse.__table__
_RESERVATIONS = BudgetReservation.__table__
_DELETE = (
    delete(_RESERVATIONS)
    .where(_RESERVATIONS.c.id == bindparam("reservation_id"))
    .where(_RESERVATIONS.c.expires_at <= bindparam("now"))
    .returning(_RESERVATIONS.c.tokens, _RESERVATIONS.c.micros, _RESERVATIONS.c.uses)
)
_LESS = (
    update(_USES)
    .where(_USES.c.id == bindparam("use_id"))
    .values(
        reserved_tokens=_USES.c.reserved_tokens - bindparam("t"),
        reserved_micros=_USES.c.reserved_micros - bindparam("m"),
    )
)
