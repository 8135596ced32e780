"""Taking bodies and rows away, a bounded batch in one transaction; verbs that never commit.

A batch is small, so that nobody waits longer than 100 ms for a lock.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, update

from portal.history_search.jobs import forget
from portal.request_history.models import LLMClientRequests, RequestBody

BATCH = 200
ROWS, BODIES = LLMClientRequests.__table__, RequestBody.__table__


def remove_bodies(connection: Connection, ids: Sequence[int]) -> None:
    """What was said in these requests: bodies, words to search, previews. The rows stay."""
    values = {"ids": list(ids)}
    forget(connection, list(ids))
    connection.execute(_NO_BODIES, values)
    connection.execute(_NO_PREVIEWS, values)


def remove_rows(connection: Connection, ids: Sequence[int]) -> None:
    """These requests, with all that is left of them."""
    values = {"ids": list(ids)}
    forget(connection, list(ids))
    connection.execute(_NO_BODIES, values)
    connection.execute(_NO_ROWS, values)


_NO_BODIES = delete(BODIES).where(BODIES.c.id.in_(bindparam("ids", expanding=True)))
_NO_ROWS = delete(ROWS).where(ROWS.c.id.in_(bindparam("ids", expanding=True)))
_NO_PREVIEWS = (
    update(ROWS)
    .where(ROWS.c.id.in_(bindparam("ids", expanding=True)))
    .values(question_preview="", answer_preview="", updated_at=ROWS.c.updated_at)
)
