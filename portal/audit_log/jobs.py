"""The worker's part: sealing what was written, and removing what is older than an account keeps."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Account
from portal.audit_log import chains, keeping, sealing
from portal.audit_log.models import PLATFORM, AuditChain
from portal.database import db, utc_now
from portal.errors import PortalError
from portal.job_queue import Ring, claim, job, job_name, rings_of, still_ours, sweep

log = logging.getLogger(__name__)
MOST_AT_ONCE = 20
LONGEST_SECONDS = 2.0
EVERY = timedelta(days=1)
Batch = Callable[[AuditChain], int]


@sweep
def unsealed_events(now: datetime) -> Iterator[Ring]:
    """Chains that have something to seal; a ring that did not help comes again in 10 s."""
    for number in sealing.unsealed(MOST_AT_ONCE):
        yield Ring(job_name(seal_events), (number,), f"{number}-{int(now.timestamp()) // 10}")


@sweep
def due_removals(now: datetime) -> Iterator[Ring]:
    """Chains whose oldest events want a look."""
    yield from rings_of(AuditChain, remove_old_events, now, most=MOST_AT_ONCE)


@job
def seal_events(number: int) -> None:
    """Seal what an account's events are, for two seconds at most."""
    if number != PLATFORM and db.session.get(Account, number) is None:
        return
    if chains.find(number) is None and not _begun(number):
        return
    _until_done(number, sealing.seal_some)


def _begun(number: int) -> bool:
    """Whether the chain was made here; another worker may have been quicker."""
    try:
        chains.begin(number, utc_now())
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return False
    return True


def _until_done(number: int, batch: Batch) -> bool:
    """Batches, each in a transaction of its own; whether nothing is left."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        chain = chains.find(number, lock=True)
        try:
            count = batch(chain) if chain is not None else 0
        except PortalError as error:
            db.session.rollback()
            log.error("audit chain %s: %s", number, error.public_message)
            return True
        db.session.commit()
        if not count:
            return True
    return False


@job
def remove_old_events(chain_id: int) -> None:
    """Remove for two seconds what is older than the account keeps; come back tomorrow."""
    chain = claim(AuditChain, chain_id, utc_now())
    if chain is None:
        return
    number, generation = chain.number, chain.generation
    days = keeping.USUAL_DAYS
    if number != PLATFORM:
        days = db.session.get_one(Account, number).audit_days
    db.session.commit()
    is_done = _until_done(number, lambda locked: keeping.remove_some(locked, days, utc_now()))
    row = still_ours(AuditChain, chain_id, generation)
    if row is not None:
        now = utc_now()
        row.next_attempt_at = now + EVERY if is_done else now
        row.leased_until, row.broken_off = None, 0
    db.session.commit()
