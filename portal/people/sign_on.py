"""People whom another portal vouches for: who they are here, and what its rules let them do."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Account, Role, User, UserProfile
from portal.database import db
from portal.errors import PortalError
from portal.open_id import Identity
from portal.people import membership
from portal.people.membership import MembershipError
from portal.people.models import ExternalIdentity
from portal.sign_on_settings import SignOnSettings

RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.ADMIN: 2}
NO_PLACE = "You are known, but no account here is open to you. Ask an admin of your team."
DISABLED = "This person may not sign in here."


class SignOnError(PortalError):
    """Somebody who is known elsewhere and does not get in here; the message is for them."""


def admit(identity: Identity, settings: SignOnSettings, now: datetime) -> User:
    """The person, with the roles that the rules give them today. Raises SignOnError.

    An account that the rules name is theirs to fill: whom no rule lets in any more is out, except
    for its last admin. Accounts that they do not name stay as they are.
    """
    user = _known(identity, settings.issuer)
    wanted = _roles_of(identity, settings)
    if user is None:
        if not wanted:
            raise SignOnError(NO_PLACE)
        user = _new(identity, settings.issuer)
    if not user.is_enabled:
        raise SignOnError(DISABLED)
    for account in _governed_accounts(settings):
        _settle(user, account, wanted.get(account.account_number), now)
    db.session.flush()
    if not _has_a_place(user):
        raise SignOnError(NO_PLACE)
    return user


def _known(identity: Identity, issuer: str) -> User | None:
    found = db.session.scalar(
        select(ExternalIdentity).where(
            ExternalIdentity.issuer == issuer, ExternalIdentity.subject == identity.subject
        )
    )
    return found.user if found else None


def _new(identity: Identity, issuer: str) -> User:
    """A user without a password. A user here who has the same address is somebody else."""
    user = User(username=_free_name(identity.username), email=identity.email[:254])
    try:
        with db.session.begin_nested():
            db.session.add_all(
                [user, ExternalIdentity(user=user, issuer=issuer, subject=identity.subject)]
            )
    except IntegrityError as error:  # two at the same moment
        raise SignOnError("Somebody of your name came at the same moment.") from error
    return user


def _free_name(wished: str) -> str:
    """The name as it may be here, with a number where somebody has it."""
    cleaned = re.sub(r"[^a-z0-9_-]+", "-", wished.lower().partition("@")[0]).strip("-_0123456789")
    name = cleaned[:28] if len(cleaned) >= 2 else "person"
    query = select(User.username).where(User.username.startswith(name, autoescape=True))
    taken, number = set(db.session.scalars(query)), 1
    while (f"{name}{number}" if number > 1 else name) in taken:
        number += 1
    return f"{name}{number}" if number > 1 else name


def _roles_of(identity: Identity, settings: SignOnSettings) -> dict[str, Role]:
    """The highest role by account number."""
    has, found = identity.values_of(settings.role_claim), dict[str, Role]()
    for rule in settings.rules:
        role = Role(rule.role)
        before = found.get(rule.account_number)
        if rule.value in has and (before is None or RANK[role] > RANK[before]):
            found[rule.account_number] = role
    return found


def _governed_accounts(settings: SignOnSettings) -> list[Account]:
    numbers = {rule.account_number for rule in settings.rules}
    return list(db.session.scalars(select(Account).where(Account.account_number.in_(numbers))))


def _settle(user: User, account: Account, role: Role | None, now: datetime) -> None:
    """Give the role, change it, or take it; an account keeps its last admin in spite of rules."""
    profile = db.session.scalar(
        select(UserProfile).where(
            UserProfile.account_id == account.id,
            UserProfile.user_id == user.id,
            UserProfile.removed_at.is_(None),
        )
    )
    try:
        if role is None:
            if profile is not None:
                membership.remove(profile, 0, now)
        elif profile is None:
            membership.admit(account, user, role)
        elif profile.role != role:
            membership.change_role(profile, role, 0, now)
    except MembershipError:
        return


def _has_a_place(user: User) -> bool:
    query = (
        select(UserProfile.id)
        .join(Account, Account.id == UserProfile.account_id)
        .where(UserProfile.user_id == user.id, UserProfile.removed_at.is_(None))
        .where(Account.is_active.is_(True))
    )
    return db.session.scalar(query.limit(1)) is not None
