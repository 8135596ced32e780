"""Who asks: the person whose token is presented, in the account that it was made for.

No cookie is read on this plane, so no browser can be made to ask for somebody.
"""

from __future__ import annotations

from flask import Flask, current_app, g, request
from sqlalchemy.exc import OperationalError

from portal.accounts.models import User
from portal.api.problems import Refusal
from portal.database import db, utc_now, writing
from portal.limits import current_limiter, defaults
from portal.limits.rates import Rate
from portal.manifests.kind import Person
from portal.people import personal_tokens
from portal.people.models import PersonalToken
from portal.web import ANYBODY, permission_of, rank_of

SAFE = ("GET", "HEAD", "OPTIONS")
NO_TOKEN = "Present a token of yours: Authorization: Bearer, followed by the token."  # noqa: S105
WRONG = "This token is not known, revoked or over."
READS_ONLY = "This token only reads."
TOO_FAST = "More than {} requests a minute with this token. Wait {} s."


class ApiActor:
    """The person behind the token, as the audit log sees them."""

    by = "api"

    @property
    def account_id(self) -> int:
        return int(g.account.id)

    @property
    def user_id(self) -> int:
        return int(g.profile.user_id)

    @property
    def address(self) -> str:
        return request.remote_addr or ""


def user() -> User:
    """Who asks."""
    found: User = g.profile.user
    return found


def person() -> Person:
    """The same as who applies a manifest."""
    return Person(g.account, g.profile, user(), ApiActor(), utc_now())


def check() -> None:
    """Before each request: the token, how often it asks, what it may do. Raises Refusal."""
    permission = permission_of(current_app, request.endpoint)
    if permission is None or permission.least == ANYBODY:
        return
    token = _presented()
    _hold_rate(token)
    g.profile, g.account = token.profile, token.profile.account
    g.token_id = token.id
    if request.method not in SAFE and not token.may_write:
        raise Refusal(403, READS_ONLY)
    if rank_of(str(g.profile.role)) < rank_of(permission.least):
        raise Refusal(403, "")
    _note_use(token)


def _presented() -> PersonalToken:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    challenge = {"WWW_Authenticate": 'Bearer realm="portal"'}
    if scheme.lower() != "bearer" or not text.strip():
        raise Refusal(401, NO_TOKEN, **challenge)
    found = personal_tokens.opened(text.strip(), utc_now())
    if found is None:
        raise Refusal(401, WRONG, **challenge)
    return found


def _hold_rate(token: PersonalToken) -> None:
    rate = Rate(f"api-token-{token.id}", defaults.API_RATE)
    denied = current_limiter().admit([rate], [], "")
    if denied is not None:
        seconds = max(1, round(denied.wait_seconds))
        sentence = TOO_FAST.format(defaults.API_RATE, seconds)
        raise Refusal(429, sentence, Retry_After=str(seconds))


def _note_use(token: PersonalToken) -> None:
    now = utc_now()
    if not personal_tokens.wants_note(token, now):
        return
    number = token.id
    db.session.rollback()
    try:
        with writing():
            personal_tokens.note_use(number, now)
            db.session.commit()
    except OperationalError:
        db.session.rollback()  # an answer need not fail for a note that can be made next time


def init_app(app: Flask) -> None:
    """Ask before every request."""
    app.before_request(check)
