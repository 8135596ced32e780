"""Who a request comes from: the session behind its cookie, and the account that is looked at."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from flask import Flask, g, request, session
from flask_login import current_user, login_user
from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import OperationalError

from portal.accounts import audit, signing_in
from portal.accounts.models import User, UserProfile
from portal.database import db, utc_now, writing
from portal.people import recognising
from portal.people.devices import device_of
from portal.web import FormActor, login_manager

INVITATION = "invitation"  # in the cookie: the secret of a link that was followed
# Parts that a page asks for again and again by itself.
QUIET_ENDPOINTS = (
    "custom_domains.editor_status",
    "custom_domains.status",
    "history_exports.status",
    "history_keeping.erasures",
    "llm_clients.domain_status",
    "llm_clients.status",
    "plugins.status",
    "providers.show_status",
    "providers.status",
    "request_history.tail_part",
)


@login_manager.user_loader
def load_user(token: str) -> User | None:
    """The user of a session token; a poll does not keep a session alive."""
    now = utc_now()
    found = signing_in.session_of(token, now)
    if found is None:
        return None
    g.user_session = found
    user = found.user
    user.session_token = token
    if request.endpoint not in QUIET_ENDPOINTS:
        _note_use()
    return user


def _note_use() -> None:
    now = utc_now()
    if now - g.user_session.last_seen_at < signing_in.SEEN_EVERY:
        return
    db.session.rollback()
    try:
        with writing():
            signing_in.see(g.user_session, now)
            db.session.commit()
    except OperationalError:
        db.session.rollback()  # a page need not fail for a note that can be made next time


@cache
def _places() -> Select[tuple[UserProfile]]:
    """Every request asks it, so it is made once."""
    return select(UserProfile).where(
        UserProfile.user_id == bindparam("user_id"), UserProfile.removed_at.is_(None)
    )


def load_account() -> None:
    """Before each request: which account the person looks at, and as whom.

    Who was removed from an account has no place in it from the next request on.
    """
    g.profiles, g.profile, g.account = [], None, None
    if not current_user.is_authenticated:
        return
    found = [
        profile
        for profile in db.session.scalars(_places(), {"user_id": current_user.id})
        if profile.account.is_active
    ]
    g.profiles = sorted(found, key=lambda profile: profile.account.company_name.lower())
    wanted = g.user_session.account_id
    chosen = [profile for profile in g.profiles if profile.account_id == wanted]
    g.profile = (chosen or g.profiles or [None])[0]
    g.account = g.profile.account if g.profile else None


def start_session(user: User, way: str) -> None:
    """A new session for this browser, never the one that was there before; commits.

    `way` is told in the list of their sign-ins: by what they have shown who they are.
    """
    now = utc_now()
    if g.get("user_session") is not None:
        signing_in.revoke(g.user_session, now)
    agent, address = request.headers.get("User-Agent", ""), request.remote_addr or ""
    if recognising.is_new(user, address, agent, now):
        recognising.tell_of_sign_in(user, address, agent, now)
    _carry(user, signing_in.open_session(user, address, agent, now))
    audit.record_of_person(FormActor(), "signed_in", user, after=asked_by(way))
    db.session.commit()


def asked_by(way: str) -> dict[str, str]:
    """What the log tells of a try to sign in beside who, when and from where."""
    return {"way": way, "browser": device_of(request.headers.get("User-Agent", ""))}


def renew_session() -> None:
    """The same session under another token, as after every change of what it may do."""
    _carry(current_user._get_current_object(), signing_in.renew(g.user_session))


def _carry(user: User, token: str) -> None:
    """Put the token into the cookie, and nothing that was there before but an open invitation."""
    invitation = session.get(INVITATION)
    session.clear()
    if invitation is not None:
        session[INVITATION] = invitation
    session.permanent = True
    user.session_token = token
    login_user(user)


def init_app(app: Flask) -> None:
    """Cookies: host-only, not for scripts, the CSRF token in the signed session."""
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(days=7)
    app.before_request(load_account)
