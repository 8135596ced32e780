"""When each API key was last used: told by the rows that are recorded, once a minute at most."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, or_, update

from portal.vault.models import AuthToken

_KEYS = AuthToken.__table__
# Past the mapper, so that no cache is dropped. The row's own time of change is the time when
# somebody changed it, which using it does not.
_USED = (
    update(_KEYS)
    .where(
        _KEYS.c.id == bindparam("key_id"),
        or_(_KEYS.c.last_used_at.is_(None), _KEYS.c.last_used_at < bindparam("a_minute_before")),
    )
    .values(last_used_at=bindparam("used_at"), updated_at=_KEYS.c.updated_at)
)


def note(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write the newest use of each key of a batch, in one statement."""
    newest = newest_uses(rows)
    if newest:
        minute = timedelta(minutes=1)
        connection.execute(
            _USED,
            [
                {"key_id": key_id, "used_at": at, "a_minute_before": at - minute}
                for key_id, at in newest
            ],
        )


def newest_uses(rows: Iterable[dict[str, Any]]) -> list[tuple[int, datetime]]:
    """Key and time, sorted, so that two writers never wait for each other in a circle."""
    newest: dict[int, datetime] = {}
    for row in rows:
        key_id, at = row["api_key_id"], row["created_at"]
        if key_id is not None:
            newest[key_id] = max(newest.get(key_id, at), at)
    return sorted(newest.items())
