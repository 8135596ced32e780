"""Mails that go to every admin of an account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.accounts.models import Role, UserProfile
from portal.adapters import current_adapters
from portal.database import db
from portal.notifications.models import Mail


def mails_to_admins(account_id: int, subject: str, text: str, now: datetime) -> list[Mail]:
    """One for each; they stay in the outbox where no server takes mails or no address is known."""
    query = select(UserProfile).where(
        UserProfile.account_id == account_id, UserProfile.role == Role.ADMIN
    )
    can_leave = current_adapters().mail_sender is not None
    return [
        Mail(
            account_id=account_id,
            user_id=profile.user_id,
            to_address=profile.user.email,
            subject=subject,
            text=text,
            next_attempt_at=now if can_leave and profile.user.email else None,
        )
        for profile in db.session.scalars(query)
    ]
