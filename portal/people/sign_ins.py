"""A person's own sign-ins, good and bad, as the audit log of their account has them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.accounts.models import Account, AuditEvent, User, UserProfile
from portal.database import db

PAGE_SIZE = 50
ENTERED = "signed_in"
REFUSED = {
    "sign_in_refused": "Refused: wrong password",
    "code_refused": "Refused: wrong code",
    "passkey_refused": "Refused: the passkey did not fit",
}


@dataclass(frozen=True)
class Row:
    """One try to sign in, as the list shows it."""

    at: datetime
    is_good: bool
    result: str
    way: str
    browser: str
    address: str


def account_of(user: User) -> Account | None:
    """Whose audit log has all their sign-ins: the account that they have been in the longest.

    None for whoever has none but as a guest: the platform's own log has theirs.
    """
    query = (
        select(Account)
        .join(UserProfile, UserProfile.account_id == Account.id)
        .where(UserProfile.user_id == user.id, UserProfile.removed_at.is_(None))
        .where(UserProfile.is_guest.is_(False), Account.is_active)
        .order_by(UserProfile.id)
        .limit(1)
    )
    return db.session.scalar(query)


def page(
    user: User, account: Account | None, before: int | None = None
) -> tuple[list[Row], int | None]:
    """Newest first, and the number before which the next page begins."""
    of_log = AuditEvent.account_id == account.id if account else AuditEvent.account_id.is_(None)
    query = (
        select(AuditEvent)
        .where(of_log, AuditEvent.object_type == "User", AuditEvent.object_id == user.id)
        .where(AuditEvent.action.in_([ENTERED, *REFUSED]))
        .order_by(AuditEvent.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if before is not None:
        query = query.where(AuditEvent.id < before)
    found = list(db.session.scalars(query))
    more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    return [_row(event) for event in found], found[-1].id if more else None


def _row(event: AuditEvent) -> Row:
    told = event.after or {}
    return Row(
        at=event.created_at,
        is_good=event.action == ENTERED,
        result=REFUSED.get(event.action, "Signed in"),
        way=str(told.get("way", "")).capitalize(),
        browser=str(told.get("browser", "")),
        address=event.address,
    )
