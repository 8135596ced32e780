"""The audit log: one event for each change of state, in the same transaction."""

from __future__ import annotations

from typing import Any, Protocol

from portal.accounts.models import AuditEvent
from portal.database import db


class Actor(Protocol):
    """Who acts, for whom, from where, and by what means."""

    account_id: int | None
    user_id: int | None
    address: str
    by: str


def record(
    actor: Actor,
    action: str,
    subject: Any = None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    name: str = "",
) -> None:
    """Add an event about `subject` (a row, or nothing); secrets must not be handed in."""
    db.session.flush()
    db.session.add(
        AuditEvent(
            account_id=actor.account_id,
            user_id=actor.user_id,
            address=actor.address,
            by=actor.by,
            action=action,
            object_type=type(subject).__name__ if subject is not None else "",
            object_id=getattr(subject, "id", None),
            object_name=name or str(getattr(subject, "name", "")),
            before=before,
            after=after,
        )
    )
