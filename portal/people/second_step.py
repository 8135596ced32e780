"""Between the password and the second factor: who has come half the way, for five minutes."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import session

from portal.accounts.models import User
from portal.database import db
from portal.people import link_tokens

KEPT = "second_step"
LIFETIME = timedelta(minutes=5)


def begin(user: User, target: str, way: str, now: datetime) -> None:
    """Note in the signed cookie whose first factor was right; it opens only the second step."""
    session.clear()
    session[KEPT] = [user.id, _bond(user), int(now.timestamp()), target, way]


def waiting(now: datetime) -> tuple[User, str, str] | None:
    """Whoever is half in, where they wanted to go, and their first factor; None when too late."""
    noted = session.get(KEPT)
    if not isinstance(noted, list) or len(noted) != 5:
        return None
    user_id, bond, since, target, way = noted
    if now.timestamp() - since > LIFETIME.total_seconds():
        return None
    user = db.session.get(User, user_id)
    if user is None or not user.is_enabled or _bond(user) != bond:
        return None
    return user, target, way


def _bond(user: User) -> str:
    """So that a changed password sends everybody back to the first step."""
    return link_tokens.digest(user.password_hash)[:16]
