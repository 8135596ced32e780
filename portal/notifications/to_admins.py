"""Mails that go to every admin of an account, or to one person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.accounts.models import Role, User, UserProfile
from portal.adapters import current_adapters
from portal.database import db
from portal.notifications.models import Mail


def mails_to_admins(account_id: int, subject: str, text: str, now: datetime) -> list[Mail]:
    """One for each admin."""
    query = select(UserProfile).where(
        UserProfile.account_id == account_id, UserProfile.role == Role.ADMIN
    )
    return [
        mail_to(profile.user, account_id, subject, text, now)
        for profile in db.session.scalars(query)
    ]


def mail_to(person: User, account_id: int, subject: str, text: str, now: datetime) -> Mail:
    """It stays in the outbox where no server takes mails or no address is known."""
    can_leave = bool(person.email and current_adapters().mail_sender)
    return Mail(
        account_id=account_id,
        user_id=person.id,
        to_address=person.email,
        subject=subject[:255],
        text=text,
        next_attempt_at=now if can_leave else None,
    )
