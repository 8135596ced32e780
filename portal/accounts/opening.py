"""Making an account with the admin who runs it."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.accounts import passwords
from portal.accounts.models import Account, Role, User, UserProfile
from portal.database import current_settings, db

FIRST_ADMIN = "admin"
FIRST_PASSWORD = timedelta(hours=72)
READABLE = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"


def new_password() -> str:
    """16 characters that are not mistaken for one another: 93 bits."""
    return "".join(secrets.choice(READABLE) for _ in range(16))


def empty_account(company_name: str, timezone: str) -> Account:
    """An account in which nobody is yet; in public it begins with a second factor for all."""
    account = Account(company_name=company_name, timezone=timezone)
    account.requires_second_factor = not current_settings().is_local
    db.session.add(account)
    db.session.flush()
    return account


def open_account(
    company_name: str,
    username: str,
    password: str,
    timezone: str,
    *,
    made_at: datetime | None = None,
) -> Account:
    """An account and its admin; a known user name gets another profile and keeps its password.

    A password that the portal has made, at `made_at`, is good for 72 hours.
    """
    account = empty_account(company_name, timezone)
    user = db.session.scalar(select(User).where(User.username == username))
    if user is None:
        until = made_at + FIRST_PASSWORD if made_at else None
        user = User(username=username, password_hash=passwords.hashed(password))
        user.first_password_until = until
    profile = UserProfile(user=user, account=account, role=Role.ADMIN)
    db.session.add_all([account, user, profile])
    db.session.flush()
    account.admin_profile = profile
    db.session.flush()
    return account
