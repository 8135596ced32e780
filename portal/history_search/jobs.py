"""Teaching the index what was recorded, apart from the way of a prompt.

What waits is in `requests_to_index`, written with the row itself; until then a search looks at it
one by one (requests are there at once, the index a second or two later).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from portal.database import db
from portal.history_search.index import entries_of, index_of
from portal.job_queue import Ring, job, job_name, sweep
from portal.request_history.models import RequestToIndex

AT_ONCE = 50  # a transaction of some milliseconds, since SQLite's writers wait for it
LONGEST_SECONDS = 2.0
QUEUE = RequestToIndex.__table__


@sweep
def requests_to_index(now: datetime) -> Iterator[Ring]:
    """One ring a second while something waits."""
    if db.session.scalar(select(RequestToIndex.id).limit(1)) is not None:
        yield Ring(job_name(index_requests), (), str(int(now.timestamp())))


@job
def index_requests() -> None:
    """Portions for two seconds at most; the clock rings again."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while index_some(db.session.connection()) and time.monotonic() < deadline:
        db.session.commit()
    db.session.commit()


def index_some(connection: Connection) -> int:
    """Teach the index a portion of what waits; how many that was. Nobody else takes the same."""
    ids = list(connection.scalars(_WAITING))
    if ids:
        entries = entries_of(connection, ids)
        if entries:
            index_of(connection).learn(connection, entries)
        connection.execute(_DONE, {"ids": ids})
    return len(ids)


_WAITING = (
    select(QUEUE.c.id).order_by(QUEUE.c.id.desc()).limit(AT_ONCE).with_for_update(skip_locked=True)
)
_DONE = delete(QUEUE).where(QUEUE.c.id.in_(bindparam("ids", expanding=True)))


def forget(connection: Connection, ids: list[int]) -> None:
    """Take requests out of the index, before their bodies go; those that wait are let go."""
    waiting = set(
        connection.scalars(
            select(QUEUE.c.id)
            .where(QUEUE.c.id.in_(bindparam("ids", expanding=True)))
            .with_for_update(),
            {"ids": ids},
        )
    )
    known = [found for found in ids if found not in waiting]
    entries = entries_of(connection, known)
    if entries:
        index_of(connection).forget(connection, entries)
    if waiting:
        connection.execute(_DONE, {"ids": list(waiting)})
