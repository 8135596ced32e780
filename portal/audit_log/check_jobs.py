"""The worker holds every chain against its seals, two seconds at a time, four times a day."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from portal.audit_log import checks, verifying
from portal.audit_log.models import AuditCheck
from portal.database import db, reading, utc_now
from portal.job_queue import Ring, claim, job, job_name, rings_of, still_ours, sweep

MOST_AT_ONCE = 5
LONGEST_SECONDS = 2.0


@sweep
def unchecked_chains(now: datetime) -> Iterator[Ring]:
    """Chains that nobody has looked at."""
    for number in checks.unchecked(MOST_AT_ONCE):
        yield Ring(job_name(begin_check), (number,), f"{number}-{int(now.timestamp()) // 10}")


@sweep
def due_checks(now: datetime) -> Iterator[Ring]:
    """Rounds that are due or have not come to their end."""
    yield from rings_of(AuditCheck, check_chain, now, most=MOST_AT_ONCE)


@job
def begin_check(number: int) -> None:
    """The first look at a chain is due."""
    try:
        checks.begin(number, utc_now())
        db.session.commit()
    except IntegrityError:  # another worker was quicker, or the account is gone
        db.session.rollback()


@job
def check_chain(check_id: int) -> None:
    """Go on for two seconds, and store what was found."""
    check = claim(AuditCheck, check_id, utc_now())
    if check is None:
        return
    generation, number, after = check.generation, check.number, check.checked_to
    db.session.rollback()
    deadline = time.monotonic() + LONGEST_SECONDS
    with reading():
        verifying.begin_looking()
        found = verifying.verify(number, lambda *_: time.monotonic() < deadline, after)
        db.session.rollback()
    row = still_ours(AuditCheck, check_id, generation)
    if row is not None:
        checks.record(row, found, utc_now())
        row.leased_until, row.broken_off = None, 0
    db.session.commit()
