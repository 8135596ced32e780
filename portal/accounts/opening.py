"""Making an account with the admin who runs it."""

from __future__ import annotations

import secrets

from sqlalchemy import select

from portal.accounts import passwords
from portal.accounts.models import Account, Role, User, UserProfile
from portal.database import db

FIRST_ADMIN = "admin"
READABLE = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789"


def new_password() -> str:
    """16 characters that are not mistaken for one another: 93 bits."""
    return "".join(secrets.choice(READABLE) for _ in range(16))


def empty_account(company_name: str, timezone: str) -> Account:
    """An account in which nobody is yet."""
    account = Account(company_name=company_name, timezone=timezone)
    db.session.add(account)
    db.session.flush()
    return account


def open_account(company_name: str, username: str, password: str, timezone: str) -> Account:
    """An account and its admin; a known user name gets another profile and keeps its password."""
    account = empty_account(company_name, timezone)
    user = db.session.scalar(select(User).where(User.username == username))
    if user is None:
        user = User(username=username, password_hash=passwords.hashed(password))
    profile = UserProfile(user=user, account=account, role=Role.ADMIN)
    db.session.add_all([account, user, profile])
    db.session.flush()
    account.admin_profile = profile
    db.session.flush()
    return account
