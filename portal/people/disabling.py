"""Shutting a person out of the whole portal, and letting them in again; the row stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.accounts import audit, signing_in
from portal.accounts.audit import Actor
from portal.accounts.models import Role, User, UserProfile
from portal.database import db
from portal.people import membership, personal_tokens
from portal.people.membership import MembershipError

OWN_USER = "Nobody disables themselves. Ask another superuser."


def disable(user: User, actor: Actor, now: datetime) -> None:
    """Their next request is refused, on every plane. Raises MembershipError.

    An account keeps an admin who may sign in, and nothing opens anew that was open before.
    """
    if user.id == actor.user_id:
        raise MembershipError(OWN_USER)
    for profile in _admin_of(user):
        membership.keep_an_admin(profile)
    user.is_enabled = False
    signing_in.revoke_all(user, now)
    personal_tokens.revoke_everywhere(user, actor, now)
    audit.record_of_person(actor, "user_disabled", user)


def _admin_of(user: User) -> list[UserProfile]:
    query = select(UserProfile).where(
        UserProfile.user_id == user.id,
        UserProfile.role == Role.ADMIN,
        UserProfile.is_guest.is_(False),
        UserProfile.removed_at.is_(None),
    )
    return list(db.session.scalars(query.order_by(UserProfile.account_id)))


def enable(user: User, actor: Actor) -> None:
    """They sign in as before; sessions and API tokens that ended stay ended."""
    user.is_enabled = True
    audit.record_of_person(actor, "user_enabled", user)
