"""The worker's part: retention, partitions, erasures, sums that are counted anew.

Each job works in short transactions for two seconds at most and comes back as long as there is
something to do; whoever is killed has lost nothing but the batch that was not committed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.exc import OperationalError

from portal.accounts.models import Account
from portal.database import db, reading, utc_now
from portal.history_exports import exporting
from portal.history_keeping import erasing, partitions, rebuilding
from portal.history_keeping.keeping import Terms, keep_some
from portal.history_keeping.models import HistoryErasure, HistoryUpkeep
from portal.job_queue import Ring, claim, job, job_name, rings_of, still_ours, sweep
from portal.usage.models import RollupRebuild
from portal.usage.tallies import hour_of

MOST_AT_ONCE = 20
WITHDRAWN = "Requests were erased after it was begun. Begin it again."
LONGEST_SECONDS = 2.0
EVERY = timedelta(hours=1)
SOON = timedelta(minutes=1)


@sweep
def due_upkeeps(now: datetime) -> Iterator[Ring]:
    """Accounts whose history wants a look, and those that have never had one."""
    yield from rings_of(HistoryUpkeep, aggregate_llm_client_history, now, most=MOST_AT_ONCE)
    if _without_upkeep(1):
        yield Ring(job_name(begin_upkeeps), (), str(int(now.timestamp())))


@sweep
def due_erasures(now: datetime) -> Iterator[Ring]:
    """Erasures that are not done."""
    yield from rings_of(HistoryErasure, erase_history, now, most=MOST_AT_ONCE)


@sweep
def due_rebuilds(now: datetime) -> Iterator[Ring]:
    """Hours that are to be counted anew."""
    yield from rings_of(RollupRebuild, rebuild_rollups, now, most=MOST_AT_ONCE)


def _without_upkeep(most: int) -> list[int | None]:
    """Accounts without an upkeep; None stands for the tables themselves."""
    query = (
        select(Account.id)
        .outerjoin(HistoryUpkeep, HistoryUpkeep.account_id == Account.id)
        .where(HistoryUpkeep.id.is_(None))
        .limit(most)
    )
    missing: list[int | None] = list(db.session.scalars(query))
    tables = select(HistoryUpkeep.id).where(HistoryUpkeep.account_id.is_(None)).limit(1)
    if db.session.scalar(tables) is None:
        missing.append(None)
    return missing


@job
def begin_upkeeps() -> None:
    """A row for each account that has none; the clock rings for them."""
    now = utc_now()
    for account_id in _without_upkeep(100):
        db.session.add(HistoryUpkeep(account_id=account_id, next_attempt_at=now))
    db.session.commit()


@job
def aggregate_llm_client_history(upkeep_id: int) -> None:
    """Delete and fold what an account keeps no longer; look after the partitions."""
    upkeep = claim(HistoryUpkeep, upkeep_id, utc_now())
    if upkeep is None:
        return
    generation = upkeep.generation
    is_done = _partitions() if upkeep.account_id is None else _keep(upkeep.account_id)
    now = utc_now()
    _come_back(HistoryUpkeep, upkeep_id, generation, now + EVERY if is_done else now)


def _partitions() -> bool:
    try:
        partitions.look_after(db.session.connection(), utc_now())
        db.session.commit()
    except OperationalError:  # somebody reads just now; in an hour is early enough
        db.session.rollback()
    return True


def _keep(account_id: int) -> bool:
    account = db.session.get(Account, account_id)
    if account is None:
        return True
    terms = Terms(
        account.id,
        ZoneInfo(account.timezone),
        account.request_bodies_days,
        account.request_rows_days,
    )
    db.session.commit()
    return _until_done(lambda: keep_some(db.session.connection(), terms, utc_now()))


def _until_done(batch: Callable[[], int]) -> bool:
    """Batches, each in a transaction of its own, for two seconds; whether nothing is left."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        count = batch()
        db.session.commit()
        if not count:
            return True
    return False


def _come_back(model: type[Any], row_id: int, generation: int, at: datetime | None) -> None:
    row = still_ours(model, row_id, generation)
    if row is not None:
        row.next_attempt_at, row.leased_until, row.broken_off = at, None, 0
    db.session.commit()


@job
def erase_history(erasure_id: int) -> None:
    """Erase for two seconds; at the end what was erased is forgotten by name, too."""
    erasure = claim(HistoryErasure, erasure_id, utc_now())
    if erasure is None:
        return
    generation, account_id = erasure.generation, erasure.account_id
    kind, subject = erasure.kind, erasure.subject
    counted = [0]

    def batch() -> int:
        count = erasing.erase_some(db.session.connection(), account_id, kind, subject)
        counted[0] += count
        return count

    is_done = _until_done(batch)
    row = still_ours(HistoryErasure, erasure_id, generation)
    if row is not None:
        row.erased += counted[0]
        row.leased_until, row.broken_off = None, 0
        row.next_attempt_at = utc_now()
        if is_done:
            erasing.erase_sessions(db.session.connection(), account_id, kind, subject)
            erasing.tidy(db.session.connection())
            exporting.withdraw(account_id, WITHDRAWN, utc_now())
            row.finished_at, row.next_attempt_at, row.subject = utc_now(), None, ""
    db.session.commit()


@job
def rebuild_rollups(rebuild_id: int) -> None:
    """Count hours anew for two seconds; the row says how far it came."""
    rebuild = claim(RollupRebuild, rebuild_id, utc_now())
    if rebuild is None:
        return
    generation, account_id = rebuild.generation, rebuild.account_id
    first, wanted = rebuild.next_hour, rebuild.last_hour
    last = min(wanted, rebuilding.last_closed(utc_now()))
    deadline = time.monotonic() + LONGEST_SECONDS
    hour = first
    accounts = _accounts(account_id)
    while hour <= last and time.monotonic() < deadline:
        for account in accounts:
            rebuild_hour(account, hour)
        hour += 1
    row = still_ours(RollupRebuild, rebuild_id, generation)
    if row is not None:
        row.next_hour, row.leased_until, row.broken_off = hour, None, 0
        is_done = hour > wanted
        row.next_attempt_at = None if is_done else max(utc_now(), rebuilding.closes_at(hour))
        row.finished_at = utc_now() if is_done else None
    db.session.commit()


def _accounts(account_id: int | None) -> list[Account]:
    query = select(Account).where(or_(account_id is None, Account.id == account_id))
    found = list(db.session.scalars(query))
    db.session.commit()
    return found


def rebuild_hour(account: Account, hour: int) -> None:
    """Count an account's hour anew and commit, unless rows of it are folded already."""
    terms = Terms(account.id, ZoneInfo(account.timezone), 0, account.request_rows_days)
    if hour <= hour_of(terms.border(terms.rows_days, utc_now())):
        return
    with reading():
        tallies, series = rebuilding.counted(db.session.connection(), account.id, hour)
        db.session.rollback()
    rebuilding.replace(db.session.connection(), account.id, hour, tallies, series)
    db.session.commit()
