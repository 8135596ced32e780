"""What goes on and off is told a few times, then gathered: `changed 7 times in the last hour`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.database import db
from portal.notices.models import Notice

WINDOW = timedelta(hours=1)
MOST_IN_WINDOW = 3


def held_until(account_id: int, damping_key: str, now: datetime) -> datetime | None:
    """Until when one more notice of a key is held; None: it is told at once."""
    if not damping_key:
        return None
    query = (
        select(Notice.created_at, Notice.gathered)
        .where(Notice.account_id == account_id, Notice.damping_key == damping_key)
        .where(Notice.created_at > now - WINDOW, Notice.held_until.is_(None))
        .order_by(Notice.created_at)
    )
    return end_of_holding([(row[0], row[1]) for row in db.session.execute(query)])


def end_of_holding(told: Sequence[tuple[datetime, int]]) -> datetime | None:
    """By time and number gathered of what was told within the window, in order.

    Three in an hour are told; what comes then waits until the hour since the first is over, or
    the hour since the newest that told of many.
    """
    gathered = [at for at, count in told if count]
    if gathered:
        return gathered[-1] + WINDOW
    return told[0][0] + WINDOW if len(told) >= MOST_IN_WINDOW else None


def take_held(notice: Notice) -> list[Notice]:
    """Take out all held notices of the key of one of them, oldest first; only one caller gets them.

    They are locked before they are read, so that two jobs never gather the same ones.
    """
    held = (
        select(Notice)
        .where(Notice.account_id == notice.account_id, Notice.damping_key == notice.damping_key)
        .where(Notice.held_until.is_not(None))
        .order_by(Notice.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = list(db.session.scalars(held))
    numbers = [one.id for one in found]
    for one in found:
        db.session.expunge(one)
    db.session.execute(delete(Notice).where(Notice.id.in_(numbers)))
    return found


def gathered_from(held: Sequence[Notice], now: datetime) -> Notice:
    """One notice in the place of many: how it stands now, and how often it changed."""
    last = held[-1]
    if len(held) == 1:
        subject, text = last.subject, last.text
    else:
        name = last.object_name or "Something"
        subject = f"{name} changed {len(held)} times in the last hour"
        text = f"The last change: {last.subject}.\n{last.text}"
    return Notice(
        account_id=last.account_id,
        user_id=last.user_id,
        kind=last.kind,
        level=last.level,
        subject=subject[:255],
        text=text,
        path=last.path,
        object_type=last.object_type,
        object_id=last.object_id,
        object_name=last.object_name,
        damping_key=last.damping_key,
        concerned=sorted({number for one in held for number in one.concerned}),
        gathered=len(held),
        created_at=now,
    )
