"""Another password: by the old one, or by a link that goes to the person's mail address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select

from portal.accounts import signing_in
from portal.accounts.mails import mail_to
from portal.accounts.models import SignInAttempt, User, UserProfile, UserSession
from portal.database import db
from portal.people import letters, link_tokens, one_time_links
from portal.people.models import PasswordWish, Purpose

MOST_OF_ONE_NAME, MOST_OF_ONE_ADDRESS = 5, 20
WINDOW = signing_in.FAILURE_WINDOW
MOST_PEOPLE = 5  # who share one mail address and each get a link
SUBJECT = "A new password for the portal"
TEXT = """Somebody, probably you, wants a new password for the user name {username}.

Choose it within 30 minutes: {{link}}

If it was not you, do nothing: your password stays as it is.
"""
CHANGED = """The password of {username} was changed just now, and every other session was ended.

If it was not you, ask for a new password at once and tell an admin of your account.
"""


def wish(typed: str, address: str, now: datetime) -> bool:
    """Note that somebody wants a new password; False where one address asks too often.

    A name that is asked for too often is noted no more, and nobody learns that.
    """
    if _count(f"reset-from:{address}", now) >= MOST_OF_ONE_ADDRESS:
        return False
    name = f"reset:{link_tokens.digest(typed)[:32]}"
    if _count(name, now) < MOST_OF_ONE_NAME:
        db.session.add(PasswordWish(typed=typed, address=address[:45], next_attempt_at=now))
    for bucket in (name, f"reset-from:{address}"):
        db.session.add(SignInAttempt(bucket=bucket[:80], created_at=now))
    return True


def _count(bucket: str, now: datetime) -> int:
    query = select(func.count()).where(
        SignInAttempt.bucket == bucket[:80], SignInAttempt.created_at > now - WINDOW
    )
    return int(db.session.scalar(query) or 0)


def grant(found: PasswordWish, now: datetime) -> None:
    """A mail with a link to everybody who is meant and can be reached."""
    query = (
        select(User)
        .where(or_(User.username == found.typed, User.email == found.typed))
        .where(User.email != "", User.password_hash != "", User.is_enabled.is_(True))
        .order_by(User.id)
        .limit(MOST_PEOPLE)
    )
    for user in db.session.scalars(query).all():
        account_id = first_account_of(user)
        if account_id is not None:
            _send_link(user, account_id, now)
    db.session.delete(found)


def first_account_of(user: User) -> int | None:
    """Whose outbox shows the mails that are about the person alone."""
    query = (
        select(UserProfile.account_id)
        .where(UserProfile.user_id == user.id, UserProfile.removed_at.is_(None))
        .order_by(UserProfile.id)
        .limit(1)
    )
    return db.session.scalar(query)


def _send_link(user: User, account_id: int, now: datetime) -> None:
    text = TEXT.format(username=user.username)
    mail = letters.put_into_outbox(
        account_id=account_id,
        user_id=user.id,
        address=user.email,
        subject=SUBJECT,
        text=text,
        now=now,
    )
    if mail.next_attempt_at is not None:
        token = one_time_links.make(user, Purpose.PASSWORD, now)
        letters.with_link(mail, text, link_tokens.url("reset-password", token))


def replace(
    user: User, password_hash: str, address: str, now: datetime, *, but: UserSession | None = None
) -> None:
    """Store another password: other sessions and open links end, and the person is told."""
    user.password_hash, user.first_password_until = password_hash, None
    signing_in.revoke_all(user, now, but=but)
    signing_in.forget_failures(user.username, address, now)
    account_id = first_account_of(user)
    if account_id is not None:
        text = CHANGED.format(username=user.username)
        db.session.add(mail_to(user, account_id, "Your password was changed", text, now))
