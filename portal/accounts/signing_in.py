"""Sign-in and sessions as verbs: attempts are counted, sessions are rows that can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Select, bindparam, delete, func, select, update

from portal.accounts import passwords
from portal.accounts.models import SignInAttempt, User, UserSession
from portal.database import db

MOST_FAILURES = 10
FAILURE_WINDOW = timedelta(minutes=15)
IDLE = timedelta(hours=8)
LONGEST = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class Refusal:
    """Why nobody was signed in; the same words whichever part was wrong."""

    message: str
    status: int


FIRST_PASSWORD_OVER = Refusal(
    "This first password was good for 72 hours. Whoever runs the portal makes you a link to "
    "choose another one: python -m portal.cli reset-password.",
    401,
)
WRONG = Refusal("The user name or the password is not right.", 401)


def check(username: str, password: str, address: str, now: datetime) -> User | Refusal:
    """The user, or the refusal. Counts failures by name and by address; the caller commits.

    No transaction is open while the password is being hashed.
    """
    wait = _wait_until(username, address, now)
    if wait is not None:
        minutes = max(1, round((wait - now).total_seconds() / 60))
        return Refusal(f"Too many failed attempts. Try again in {minutes} min.", 429)
    user = db.session.scalar(select(User).where(User.username == normal(username)))
    stored = user.password_hash if user and user.is_enabled else ""
    db.session.rollback()
    if passwords.matches(password, stored):
        return _with_right_password(db.session.get_one(User, user.id), now)  # type: ignore[union-attr]
    for bucket in _buckets(username, address):
        db.session.add(SignInAttempt(bucket=bucket, created_at=now))
    return WRONG


def _with_right_password(user: User, now: datetime) -> User | Refusal:
    until = user.first_password_until
    return FIRST_PASSWORD_OVER if until is not None and until <= now else user


def normal(username: str) -> str:
    """The name as it is stored, however it was typed; without the NUL that PostgreSQL refuses."""
    return username.replace("\x00", "").strip().lower()


def _buckets(username: str, address: str) -> tuple[str, str]:
    digest = hashlib.sha256(normal(username).encode()).hexdigest()[:32]
    return f"name:{digest}", f"address:{address}"


def _wait_until(username: str, address: str, now: datetime) -> datetime | None:
    since = now - FAILURE_WINDOW
    for bucket in _buckets(username, address):
        most = MOST_FAILURES if bucket.startswith("name:") else 3 * MOST_FAILURES
        count, oldest = db.session.execute(
            select(func.count(), func.min(SignInAttempt.created_at)).where(
                SignInAttempt.bucket == bucket, SignInAttempt.created_at > since
            )
        ).one()
        if count >= most:
            return oldest + FAILURE_WINDOW  # type: ignore[no-any-return]
    return None


def forget_failures(username: str, address: str, now: datetime) -> None:
    """After a right password the name's count starts anew; old rows go."""
    db.session.execute(
        delete(SignInAttempt).where(
            (SignInAttempt.bucket == _buckets(username, address)[0])
            | (SignInAttempt.created_at < now - FAILURE_WINDOW)
        )
    )


def open_session(user: User, address: str, user_agent: str, now: datetime) -> str:
    """A new session; returns the token for the cookie, which is stored only as its hash.

    It opens the account that the person looked at last.
    """
    token = secrets.token_urlsafe(32)
    latest = (
        select(UserSession.account_id)
        .where(UserSession.user_id == user.id)
        .order_by(UserSession.last_seen_at.desc())
        .limit(1)
    )
    db.session.add(
        UserSession(
            token_hash=hash_of(token),
            user_id=user.id,
            last_seen_at=now,
            expires_at=now + LONGEST,
            address=address[:45],
            user_agent=user_agent[:255],
            account_id=db.session.scalar(latest),
        )
    )
    return token


def renew(session: UserSession) -> str:
    """Another token for the same session; the old one is worth nothing from the commit on."""
    token = secrets.token_urlsafe(32)
    session.token_hash = hash_of(token)
    return token


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _by_token() -> Select[tuple[UserSession]]:
    """Every request asks it, so it is made once."""
    return select(UserSession).where(UserSession.token_hash == bindparam("token_hash"))


def session_of(token: str, now: datetime) -> UserSession | None:
    """The session, if it is neither revoked, over, idle for too long nor its user's place gone."""
    found = db.session.scalar(_by_token(), {"token_hash": hash_of(token)})
    if found is None or found.revoked_at is not None or found.expires_at <= now:
        return None
    if found.last_seen_at + IDLE <= now or not found.user.is_enabled:
        return None
    return found


def see(session: UserSession, now: datetime) -> bool:
    """Note that the session is in use; at most every five minutes. The caller commits."""
    if now - session.last_seen_at < SEEN_EVERY:
        return False
    db.session.execute(
        update(UserSession).where(UserSession.id == session.id).values(last_seen_at=now)
    )
    return True


def open_sessions(user: User, now: datetime) -> list[UserSession]:
    """The user's sessions that still open the portal, latest use first."""
    query = (
        select(UserSession)
        .where(
            UserSession.user_id == user.id,
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now,
            UserSession.last_seen_at > now - IDLE,
        )
        .order_by(UserSession.last_seen_at.desc())
    )
    return list(db.session.scalars(query))


def session_for_user(user: User, session_id: int) -> UserSession | None:
    """One of the user's own sessions."""
    query = select(UserSession).where(UserSession.id == session_id)
    return db.session.scalar(query.where(UserSession.user_id == user.id))


def revoke(session: UserSession, now: datetime) -> None:
    session.revoked_at = now


def revoke_all(user: User, now: datetime, *, but: UserSession | None = None) -> int:
    """Sign the user out everywhere, or everywhere else; how many sessions ended."""
    query = update(UserSession).where(
        UserSession.user_id == user.id, UserSession.revoked_at.is_(None)
    )
    if but is not None:
        query = query.where(UserSession.id != but.id)
    return int(db.session.execute(query.values(revoked_at=now)).rowcount)
