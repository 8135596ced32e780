"""What a superuser does: sees all accounts and looks into one as a guest."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from portal.accounts.models import Account, Role, User, UserProfile
from portal.database import db

PAGE_SIZE = 50


@dataclass(frozen=True)
class Row:
    """One account of the list, and how many people it has."""

    account: Account
    people: int


def page(before: int | None = None) -> tuple[list[Row], int | None]:
    """Newest first, and the number before which the next page begins."""
    query = select(Account).order_by(Account.id.desc()).limit(PAGE_SIZE + 1)
    if before is not None:
        query = query.where(Account.id < before)
    found = list(db.session.scalars(query))
    more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    counts = _people_by_account([account.id for account in found])
    rows = [Row(account, counts.get(account.id, 0)) for account in found]
    return rows, found[-1].id if more else None


def _people_by_account(account_ids: list[int]) -> dict[int, int]:
    query = (
        select(UserProfile.account_id, func.count())
        .where(UserProfile.account_id.in_(account_ids))
        .where(UserProfile.removed_at.is_(None), UserProfile.is_guest.is_(False))
        .group_by(UserProfile.account_id)
    )
    return dict(db.session.execute(query).all())


def account(account_id: int) -> Account | None:
    """Any account that is in use; only a superuser's route may ask."""
    return db.session.scalar(
        select(Account).where(Account.id == account_id, Account.is_active.is_(True))
    )


def enter(entered: Account, superuser: User) -> UserProfile:
    """The superuser's place in the account: the one that he has, else a guest's."""
    profile = db.session.scalar(
        select(UserProfile).where(
            UserProfile.account_id == entered.id, UserProfile.user_id == superuser.id
        )
    )
    if profile is not None and profile.removed_at is None:
        return profile
    if profile is None:
        profile = UserProfile(user_id=superuser.id, account_id=entered.id)
        db.session.add(profile)
    profile.role, profile.is_guest, profile.removed_at = Role.ADMIN, True, None
    db.session.flush()
    return profile
