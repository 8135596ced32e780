"""Work that comes again by itself: new networks of keys, unusual errors, reports, clearing away.

Each round works in short transactions for two seconds at most and comes back soon if it is not
done. Whoever is killed in one, or makes it twice at once, tells nobody twice: what is told has a
key that is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from portal.database import db, utc_now
from portal.job_queue import Ring, claim, job, job_name, rings_of, still_ours, sweep
from portal.notices.models import NoticeRound
from portal.notifications import clearing, keys_elsewhere, monthly_reports, unusual_errors

SOON = timedelta(seconds=5)
# By name: what is done (whether all of it is), and how often.
ROUNDS: dict[str, tuple[Callable[[datetime], bool], timedelta]] = {
    "keys": (keys_elsewhere.look, timedelta(minutes=1)),
    "errors": (unusual_errors.look, timedelta(minutes=5)),
    "reports": (monthly_reports.write_due, timedelta(hours=1)),
    "clearing": (clearing.clear_away, timedelta(hours=1)),
}


@sweep
def due_rounds(now: datetime) -> Iterator[Ring]:
    """Rounds that are due, and those that were never made."""
    yield from rings_of(NoticeRound, make_round, now, most=len(ROUNDS))
    stored = db.session.scalar(select(func.count()).select_from(NoticeRound)) or 0
    if stored < len(ROUNDS):
        yield Ring(job_name(begin_rounds), (), str(int(now.timestamp())))


@job
def begin_rounds() -> None:
    """Store the rounds that are not there yet, due now."""
    now, stored = utc_now(), set(db.session.scalars(select(NoticeRound.name)))
    for name in ROUNDS.keys() - stored:
        try:
            with db.session.begin_nested():
                db.session.add(NoticeRound(name=name, next_attempt_at=now))
        except IntegrityError:  # another worker was quicker
            continue
    db.session.commit()


@job
def make_round(round_id: int) -> None:
    """One round, and when the next one is."""
    now = utc_now()
    claimed = claim(NoticeRound, round_id, now)
    if claimed is None or claimed.name not in ROUNDS:
        db.session.rollback()
        return
    (work, every), generation = ROUNDS[claimed.name], claimed.generation
    is_done = work(now)
    row = still_ours(NoticeRound, round_id, generation)
    if row is not None:
        row.next_attempt_at = utc_now() + (every if is_done else SOON)
        row.leased_until, row.broken_off = None, 0
    db.session.commit()
