"""The worker answers the clock, so that pages can say whether anybody works."""

from __future__ import annotations

from portal.database import db, utc_now
from portal.job_queue import job
from portal.system import heartbeats


@job
def answer_the_clock() -> None:
    """Note that a worker is alive and can write to the database."""
    heartbeats.note("worker", utc_now())
    db.session.commit()
