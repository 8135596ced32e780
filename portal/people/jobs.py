"""What pages only note and the worker does: looking whom a wish for a new password means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.database import db, utc_now
from portal.job_queue import Ring, claim, job, rings_of, still_ours, sweep
from portal.people import new_passwords
from portal.people.models import PasswordWish

MOST_AT_ONCE = 100


@sweep
def password_wishes(now: datetime) -> Iterator[Ring]:
    """Wishes that nobody has looked at."""
    yield from rings_of(PasswordWish, grant_wish, now, most=MOST_AT_ONCE)


@job
def grant_wish(wish_id: int) -> None:
    """Write the mails and forget the wish, in one transaction."""
    now = utc_now()
    claimed = claim(PasswordWish, wish_id, now)
    found = still_ours(PasswordWish, wish_id, claimed.generation) if claimed is not None else None
    if found is not None:
        new_passwords.grant(found, now)
    db.session.commit()
