"""An identity elsewhere and the person that somebody is here already: to link and to unlink."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal.accounts.models import User
from portal.database import db
from portal.open_id import Identity
from portal.people.models import ExternalIdentity, Passkey
from portal.people.sign_on import SignOnError

TAKEN = "Who you are there is linked with another user here."
ONE_ALREADY = "You are linked with another identity there. Unlink that one first."
ONLY_WAY = "It is your only way in. Choose a password or add a passkey first."


def identity_of(user: User, issuer: str) -> ExternalIdentity | None:
    """Who the person is for this provider."""
    query = select(ExternalIdentity).where(ExternalIdentity.user_id == user.id)
    return db.session.scalar(query.where(ExternalIdentity.issuer == issuer).limit(1))


def link(user: User, identity: Identity, issuer: str) -> bool:
    """Whether it is new that this identity signs the person in. Raises SignOnError.

    Nothing but issuer and subject counts, so a name or an address leads to nobody's user.
    """
    query = select(ExternalIdentity).where(ExternalIdentity.issuer == issuer)
    there = db.session.scalar(query.where(ExternalIdentity.subject == identity.subject))
    if there is not None and there.user_id != user.id:
        raise SignOnError(TAKEN)
    if there is not None:
        return False
    if identity_of(user, issuer) is not None:
        raise SignOnError(ONE_ALREADY)
    try:
        with db.session.begin_nested():
            row = ExternalIdentity(user_id=user.id, issuer=issuer, subject=identity.subject)
            db.session.add(row)
    except IntegrityError as error:  # two at the same moment
        raise SignOnError(TAKEN) from error
    return True


def unlink(row: ExternalIdentity) -> None:
    """It signs nobody in any more. Raises SignOnError."""
    if is_only_way(row.user):
        raise SignOnError(ONLY_WAY)
    db.session.delete(row)


def is_only_way(user: User) -> bool:
    """Whether the person has neither a password nor a passkey."""
    query = select(Passkey.id).where(Passkey.user_id == user.id).limit(1)
    return not user.password_hash and db.session.scalar(query) is None


def has_any(user: User) -> bool:
    """Whether some other portal signs the person in."""
    query = select(ExternalIdentity.id).where(ExternalIdentity.user_id == user.id).limit(1)
    return db.session.scalar(query) is not None
