"""Another mail address: it holds when the link that went there was followed."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from portal.accounts.mails import Mail, mail_to
from portal.accounts.models import User
from portal.database import db
from portal.people import letters, link_tokens, new_passwords, one_time_links
from portal.people.models import OneTimeLink, Purpose

MOST_AN_HOUR = 5
TOO_MANY = f"{MOST_AN_HOUR} links an hour are enough. Try again later."
SUBJECT = "Confirm this mail address"
TEXT = """{username} wants to get the mails of the portal at this address.

Confirm it within 24 hours: {{link}}

If you do not know {username}, do nothing.
"""
NOTICE = """Mails for {username} went to this address until now. From now on they go to another one.

If it was not you, ask an admin of your account to remove {username}, and change the password.
"""


def send_link(user: User, account_id: int, email: str, now: datetime) -> bool:
    """Mail a link to the new address; False where the person has asked too often."""
    if _sent_lately(user, now) >= MOST_AN_HOUR:
        return False
    text = TEXT.format(username=user.username)
    mail = letters.put_into_outbox(
        account_id=account_id,
        user_id=user.id,
        address=email,
        subject=SUBJECT,
        text=text,
        now=now,
    )
    token = one_time_links.make(user, Purpose.MAIL, now, email=email)
    letters.with_link(mail, text, link_tokens.url("confirm-mail", token))
    return True


def _sent_lately(user: User, now: datetime) -> int:
    query = select(func.count()).where(
        Mail.user_id == user.id, Mail.subject == SUBJECT, Mail.created_at > now - timedelta(hours=1)
    )
    return int(db.session.scalar(query) or 0)


def change(link: OneTimeLink, now: datetime) -> None:
    """Use the link: the address holds, and the old one is told. Raises LinkError."""
    one_time_links.use(link, now)
    user, account_id = link.user, new_passwords.first_account_of(link.user)
    if user.email and account_id is not None:
        text = NOTICE.format(username=user.username)
        db.session.add(mail_to(user, account_id, "Your mail address was changed", text, now))
    user.email = link.email
