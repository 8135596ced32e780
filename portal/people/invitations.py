"""Inviting somebody: by mail, for 72 hours, once, and only whoever has the address."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError

from portal.accounts.mails import Mail
from portal.accounts.models import Account, Role, User, UserProfile
from portal.database import db
from portal.errors import PortalError
from portal.people import letters, link_tokens, membership
from portal.people.models import Invitation

LIFETIME = timedelta(hours=72)
MOST_A_DAY = 50  # of an account: what is mailed to strangers is in the portal's name
MOST_SHOWN = 100
TOO_MANY = f"{MOST_A_DAY} mails a day are enough. Try again tomorrow."
GONE = "This invitation does not work any more. Ask for another one."
TAKEN = "This user name is taken. Choose another one."
TEXT = """{inviter} invites you to {company}, as {role}.

Accept it within 72 hours: {{link}}

If you do not know {company}, do nothing: the invitation ends by itself.
"""


class InvitationError(PortalError):
    """An invitation that cannot be made or accepted; the message is for the reader."""


@dataclass(frozen=True)
class Sent:
    """An invitation with its link. Where no server took the mail, the link is shown once."""

    row: Invitation
    link: str = field(repr=False)
    is_mailed: bool = False


def invite(account: Account, email: str, role: Role, inviter: User, now: datetime) -> Sent:
    """A new invitation; an earlier one to the same address ends. Raises InvitationError."""
    if _is_here(account.id, email):
        raise InvitationError("Somebody with this address is in the account already.")
    _check_rate(account.id, now)
    db.session.execute(
        update(Invitation)
        .where(Invitation.account_id == account.id, Invitation.email == email)
        .where(Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    token = link_tokens.make()
    row = Invitation(
        account_id=account.id,
        account=account,
        email=email,
        role=role,
        token_hash=link_tokens.digest(token),
        invited_by=inviter,
        expires_at=now + LIFETIME,
    )
    db.session.add(row)
    db.session.flush()
    return _send(row, token, inviter, now)


def resend(row: Invitation, inviter: User, now: datetime) -> Sent:
    """Another link for 72 hours more; the old one is of no use. Raises InvitationError."""
    _check_rate(row.account_id, now)
    token = link_tokens.make()
    row.token_hash, row.expires_at = link_tokens.digest(token), now + LIFETIME
    return _send(row, token, inviter, now)


def revoke(row: Invitation, now: datetime) -> None:
    row.revoked_at = now


def pending(account_id: int) -> list[Invitation]:
    """Those that nobody accepted and nobody took back, newest first, expired ones too."""
    query = select(Invitation).where(Invitation.account_id == account_id).where(_is_waiting())
    return list(db.session.scalars(query.order_by(Invitation.id.desc()).limit(MOST_SHOWN)))


def for_account(account_id: int, invitation_id: int) -> Invitation | None:
    """One that is still waiting."""
    query = select(Invitation).where(Invitation.account_id == account_id).where(_is_waiting())
    return db.session.scalar(query.where(Invitation.id == invitation_id))


def opened(token: str, now: datetime) -> Invitation | None:
    """The invitation of a link, if it still works."""
    query = select(Invitation).where(Invitation.token_hash == link_tokens.digest(token))
    found = db.session.scalar(query.where(_is_waiting()))
    if found is None or found.expires_at <= now or not found.account.is_active:
        return None
    return found


def accept_as_new(row: Invitation, username: str, password_hash: str, now: datetime) -> UserProfile:
    """A new user with the address of the invitation. Raises InvitationError."""
    if db.session.scalar(select(User.id).where(User.username == username)) is not None:
        raise InvitationError(TAKEN)
    _use(row, now)
    user = User(username=username, email=row.email, password_hash=password_hash)
    try:
        with db.session.begin_nested():
            db.session.add(user)
    except IntegrityError as error:  # somebody took the name a moment ago
        raise InvitationError(TAKEN) from error
    return membership.admit(row.account, user, row.role)


def accept_as(row: Invitation, user: User, now: datetime) -> UserProfile:
    """A person who has the address already. Raises InvitationError for any other."""
    if user.email != row.email:
        raise InvitationError("This invitation is for another mail address than yours.")
    _use(row, now)
    return membership.admit(row.account, user, row.role)


def _use(row: Invitation, now: datetime) -> None:
    """Once: of two who accept at the same moment one gets in."""
    taken = db.session.execute(
        update(Invitation)
        .where(Invitation.id == row.id, Invitation.token_hash == row.token_hash)
        .where(_is_waiting(), Invitation.expires_at > now)
        .values(accepted_at=now)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:
        raise InvitationError(GONE)


def _is_waiting() -> ColumnElement[bool]:
    return Invitation.accepted_at.is_(None) & Invitation.revoked_at.is_(None)


def _is_here(account_id: int, email: str) -> bool:
    query = (
        select(UserProfile.id)
        .join(User, User.id == UserProfile.user_id)
        .where(UserProfile.account_id == account_id, UserProfile.removed_at.is_(None))
        .where(UserProfile.is_guest.is_(False), User.email == email)
    )
    return db.session.scalar(query.limit(1)) is not None


def _check_rate(account_id: int, now: datetime) -> None:
    query = select(func.count()).where(
        Mail.account_id == account_id,
        Mail.user_id.is_(None),
        Mail.created_at > now - timedelta(days=1),
    )
    if (db.session.scalar(query) or 0) >= MOST_A_DAY:
        raise InvitationError(TOO_MANY)


def _send(row: Invitation, token: str, inviter: User, now: datetime) -> Sent:
    company = row.account.company_name
    text = TEXT.format(inviter=inviter.username, company=company, role=row.role.value)
    mail = letters.put_into_outbox(
        account_id=row.account_id,
        user_id=None,
        address=row.email,
        subject=f"{inviter.username} invites you to {company}",
        text=text,
        now=now,
    )
    link = link_tokens.url("invitation", token)
    return Sent(row, link, letters.with_link(mail, text, link))
