"""A person's tokens for the API: made for one account, shown once, kept as a hash."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select, update

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.accounts.models import User, UserProfile
from portal.database import db
from portal.errors import PortalError
from portal.people.models import PersonalToken
from portal.vault import tokens

MOST = 20  # that work, of one person in one account
SEEN_EVERY = timedelta(minutes=5)


class TooMany(PortalError):
    """The person has as many tokens as one may have."""


@dataclass(frozen=True)
class NewToken:
    """A token that was made just now. `text` is shown and then forgotten."""

    row: PersonalToken
    text: str = field(repr=False)


def make(
    profile: UserProfile, name: str, may_write: bool, expires_at: datetime, now: datetime
) -> NewToken:
    """A token that may do what the person may in this account. Raises TooMany."""
    if len(working(profile, now)) >= MOST:
        raise TooMany(f"You have {MOST} tokens here. Revoke one that no program uses.")
    token = tokens.make()
    row = PersonalToken(
        user_profile_id=profile.id,
        name=name,
        prefix=token.prefix,
        secret_hash=tokens.digest(token.text),
        may_write=may_write,
        expires_at=expires_at,
    )
    db.session.add(row)
    db.session.flush()
    return NewToken(row, token.text)


def working(profile: UserProfile, now: datetime) -> list[PersonalToken]:
    """The person's tokens in this account that are neither revoked nor over, newest first."""
    query = (
        select(PersonalToken)
        .where(
            PersonalToken.user_profile_id == profile.id,
            PersonalToken.revoked_at.is_(None),
            PersonalToken.expires_at > now,
        )
        .order_by(PersonalToken.id.desc())
    )
    return list(db.session.scalars(query))


def for_profile(profile: UserProfile, token_id: int, now: datetime) -> PersonalToken | None:
    """One of the person's own that work."""
    return next((one for one in working(profile, now) if one.id == token_id), None)


def revoke(token: PersonalToken, now: datetime) -> None:
    """Refused from the next request on."""
    token.revoked_at = now


def revoke_all(profile_id: int, now: datetime) -> None:
    """Who leaves an account leaves nothing behind that opens it, not even on coming back."""
    db.session.execute(
        update(PersonalToken)
        .where(PersonalToken.user_profile_id == profile_id, PersonalToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def how_many(user: User, now: datetime) -> int:
    """The person's tokens that work, in all their accounts."""
    return int(db.session.scalar(select(func.count()).where(_of_person(user, now))) or 0)


def revoke_everywhere(user: User, actor: Actor, now: datetime) -> None:
    """Every program of the person is refused from its next request on, in all their accounts."""
    found = db.session.execute(
        update(PersonalToken)
        .where(_of_person(user, now))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
    if found.rowcount:
        audit.record_of_person(actor, "personal_tokens_revoked", user)


def _of_person(user: User, now: datetime) -> ColumnElement[bool]:
    profiles = select(UserProfile.id).where(UserProfile.user_id == user.id)
    return and_(
        PersonalToken.user_profile_id.in_(profiles),
        PersonalToken.revoked_at.is_(None),
        PersonalToken.expires_at > now,
    )


def opened(text: str, now: datetime) -> PersonalToken | None:
    """The token that a text is, if it works and its person still has a place in the account."""
    token = tokens.parse(text)
    if token is None:
        return None
    query = select(PersonalToken).where(PersonalToken.prefix == token.prefix)
    row = db.session.scalar(query)
    if row is None or not secrets.compare_digest(row.secret_hash, tokens.digest(text)):
        return None
    profile = row.profile
    is_over = row.revoked_at is not None or row.expires_at <= now
    has_place = profile.removed_at is None and profile.account.is_active
    return row if not is_over and has_place and profile.user.is_enabled else None


def wants_note(token: PersonalToken, now: datetime) -> bool:
    """Whether its use is worth writing down again."""
    return token.last_used_at is None or now - token.last_used_at >= SEEN_EVERY


def note_use(token_id: int, now: datetime) -> None:
    """Write down that it is in use. The caller commits."""
    query = update(PersonalToken).where(PersonalToken.id == token_id)
    db.session.execute(query.values(last_used_at=now, updated_at=PersonalToken.updated_at))
