"""Links that a person gets by mail: a new password, another address. Once, and not for long."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from portal.accounts.models import User
from portal.database import db
from portal.errors import PortalError
from portal.people import link_tokens
from portal.people.models import OneTimeLink, Purpose

LIFETIMES = {Purpose.PASSWORD: timedelta(minutes=30), Purpose.MAIL: timedelta(hours=24)}
GONE = {
    Purpose.PASSWORD: "This link does not work any more. Ask for another one.",
    Purpose.MAIL: "This link does not work any more. Enter the address once more.",
}


class LinkError(PortalError):
    """A link that was used, or died, a moment ago."""


def make(user: User, purpose: Purpose, now: datetime, *, email: str = "") -> str:
    """The secret of a new link; earlier ones of the same purpose end."""
    _end(user, purpose, now)
    token = link_tokens.make()
    db.session.add(
        OneTimeLink(
            user_id=user.id,
            purpose=purpose,
            token_hash=link_tokens.digest(token),
            bound_to=_bond(user, purpose),
            email=email,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    return token


def opened(token: str, purpose: Purpose, now: datetime) -> OneTimeLink | None:
    """The link of a secret, if it still works for the person as they are now."""
    found = db.session.scalar(
        select(OneTimeLink).where(OneTimeLink.token_hash == link_tokens.digest(token))
    )
    if found is None or found.purpose != purpose or found.used_at is not None:
        return None
    if found.expires_at <= now or not found.user.is_enabled:
        return None
    return found if found.bound_to == _bond(found.user, purpose) else None


def use(link: OneTimeLink, now: datetime) -> None:
    """Of two who use it at the same moment one may go on; LinkError for the other."""
    taken = db.session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1 or link.bound_to != _bond(link.user, link.purpose):
        raise LinkError(GONE[link.purpose])


def _end(user: User, purpose: Purpose, now: datetime) -> None:
    db.session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.user_id == user.id, OneTimeLink.purpose == purpose)
        .where(OneTimeLink.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )


def _bond(user: User, purpose: Purpose) -> str:
    """A link dies with the password; one for another address also with the present address."""
    rest = user.email if purpose == Purpose.MAIL else ""
    return link_tokens.digest(f"{user.password_hash} {rest}")
