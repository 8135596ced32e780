"""The audit log: one event for each change of state, in the same transaction.

An event waits for nobody: it is sealed into its account's chain a second later (portal/audit_log).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select

from portal.accounts import masking
from portal.accounts.event_text import mark_of
from portal.accounts.models import Account, AuditEvent, User, UserProfile
from portal.database import current_settings, db, utc_now


class Actor(Protocol):
    """Who acts, for whom, from where, and by what means."""

    @property
    def account_id(self) -> int | None: ...
    @property
    def user_id(self) -> int | None: ...
    @property
    def address(self) -> str: ...
    @property
    def by(self) -> str: ...


@dataclass(frozen=True)
class Operator:
    """Whoever types commands on the portal's own machine."""

    account_id: int | None = None
    user_id: int | None = None
    address: str = ""
    by: str = "command"


def record(
    actor: Actor,
    action: str,
    subject: Any = None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    name: str = "",
) -> None:
    """Add an event about `subject` (a row, or nothing); what looks like a secret is masked."""
    db.session.flush()
    _add(actor, actor.account_id, action, subject, masking.masked(before, after), name)


def record_of_person(
    actor: Actor,
    action: str,
    user: User,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """An event of somebody's own, such as a sign-in: in the log of each account they work in.

    Whoever has no place in any account, a platform's guest included, is in the platform's own log.
    """
    db.session.flush()
    query = (
        select(UserProfile.account_id)
        .join(Account, Account.id == UserProfile.account_id)
        .where(UserProfile.user_id == user.id, UserProfile.removed_at.is_(None))
        .where(UserProfile.is_guest.is_(False), Account.is_active)
        .order_by(UserProfile.account_id)
    )
    told = masking.masked(before, after)
    for account_id in list(db.session.scalars(query)) or [None]:
        _add(actor, account_id, action, user, told, user.username)


def _add(
    actor: Actor,
    account_id: int | None,
    action: str,
    subject: Any,
    told: tuple[dict[str, Any] | None, dict[str, Any] | None],
    name: str,
) -> None:
    called = name or str(getattr(subject, "name", None) or "")
    before, after = (_as_stored(values) for values in told)
    event = AuditEvent(
        account_id=account_id,
        user_id=actor.user_id,
        address=actor.address[:45],
        by=actor.by,
        action=action,
        object_type=type(subject).__name__ if subject is not None else "",
        object_id=getattr(subject, "id", None),
        object_name=masking.text_without_secrets(called)[:255],
        before=before,
        after=after,
        created_at=utc_now(),
    )
    event.seal = mark_of(event, current_settings().secret_key)
    db.session.add(event)


def _as_stored(values: dict[str, Any] | None) -> dict[str, Any] | None:
    """As it comes back from the database: texts for names, lists for tuples."""
    found: dict[str, Any] | None = json.loads(json.dumps(values))
    return found
