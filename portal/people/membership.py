"""Who belongs to an account and as what; an account never loses its last admin."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select

from portal.accounts import signing_in
from portal.accounts.models import Account, Role, User, UserProfile, UserSession
from portal.database import db
from portal.errors import PortalError
from portal.people import personal_tokens, second_factors

PAGE_SIZE = 50
LAST_ADMIN = "An account needs an admin. Make somebody else one first."
OWN_ROLE = "Nobody changes their own role. Ask another admin."
OWN_PLACE = "Nobody removes themselves. Ask another admin."
GUESTS_ROLE = "A guest of the platform has an admin’s role, or none."


class MembershipError(PortalError):
    """A change that the account’s rules forbid; the message is for the reader."""


@dataclass(frozen=True)
class Row:
    """One person of the account, as the list shows them."""

    profile: UserProfile
    last_seen_at: datetime | None
    has_second_factor: bool


def page(account_id: int, after: str = "") -> tuple[list[Row], str | None]:
    """People by user name, and the name after which the next page begins."""
    query = (
        _present(account_id)
        .join(User, User.id == UserProfile.user_id)
        .order_by(User.username)
        .limit(PAGE_SIZE + 1)
    )
    if after:
        query = query.where(User.username > after)
    found = list(db.session.scalars(query))
    more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    user_ids = [profile.user_id for profile in found]
    seen, safe = _last_seen(user_ids), second_factors.who_has_one(user_ids)
    rows = [Row(one, seen.get(one.user_id), one.user_id in safe) for one in found]
    return rows, found[-1].user.username if more else None


def _present(account_id: int) -> Select[tuple[UserProfile]]:
    return select(UserProfile).where(
        UserProfile.account_id == account_id, UserProfile.removed_at.is_(None)
    )


def _last_seen(user_ids: list[int]) -> dict[int, datetime]:
    query = (
        select(UserSession.user_id, func.max(UserSession.last_seen_at))
        .where(UserSession.user_id.in_(user_ids))
        .group_by(UserSession.user_id)
    )
    return dict(db.session.execute(query).all())


def for_account(account_id: int, profile_id: int) -> UserProfile | None:
    """Somebody who belongs to the account now."""
    return db.session.scalar(_present(account_id).where(UserProfile.id == profile_id))


def change_role(profile: UserProfile, role: Role, by_user_id: int, now: datetime) -> None:
    """Give another role; the person signs in again. Raises MembershipError."""
    if profile.user_id == by_user_id:
        raise MembershipError(OWN_ROLE)
    if profile.is_guest:
        raise MembershipError(GUESTS_ROLE)
    if role != Role.ADMIN:
        keep_an_admin(profile)
    profile.role = role
    signing_in.revoke_all(profile.user, now)


def remove(profile: UserProfile, by_user_id: int, now: datetime) -> None:
    """Take somebody out: their next request finds no account. Raises MembershipError."""
    if profile.user_id == by_user_id:
        raise MembershipError(OWN_PLACE)
    if not profile.is_guest:
        keep_an_admin(profile)
    profile.removed_at = now
    personal_tokens.revoke_all(profile.id, now)


def admit(account: Account, user: User, role: Role) -> UserProfile:
    """The person's place in the account, the old one if they were there before."""
    profile = db.session.scalar(
        select(UserProfile).where(
            UserProfile.account_id == account.id, UserProfile.user_id == user.id
        )
    )
    if profile is None:
        profile = UserProfile(user=user, account=account)
        db.session.add(profile)
    profile.role, profile.is_guest, profile.removed_at = role, False, None
    db.session.flush()
    if account.admin_profile_id is None and role == Role.ADMIN:
        account.admin_profile = profile
    return profile


def keep_an_admin(leaving: UserProfile) -> None:
    """Raises MembershipError if nobody else is an admin who may sign in.

    Holds the account's row, so that two admins cannot take the role from each other at once.
    """
    db.session.execute(select(Account.id).where(Account.id == leaving.account_id).with_for_update())
    others = (
        _present(leaving.account_id)
        .join(User, User.id == UserProfile.user_id)
        .where(
            UserProfile.id != leaving.id,
            UserProfile.role == Role.ADMIN,
            UserProfile.is_guest.is_(False),
            User.is_enabled.is_(True),
        )
    )
    db.session.refresh(leaving)
    if leaving.role == Role.ADMIN and db.session.scalars(others.limit(1)).first() is None:
        raise MembershipError(LAST_ADMIN)
