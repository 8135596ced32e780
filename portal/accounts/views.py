"""Sign in and out, sessions, switching between accounts, light and dark."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, abort, g, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.accounts import audit, signing_in
from portal.accounts.forms import SignInForm
from portal.accounts.models import User, UserProfile, UserSession
from portal.database import db, utc_now, writing
from portal.web import ANYBODY, SIGNED_IN, FormActor, login_manager, permits, safe_next, said

blueprint = Blueprint("accounts", __name__)
QUIET_ENDPOINTS = ("llm_clients.status", "llm_clients.domain_status", "custom_domains.status")


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
        _note_use(found)
    return user


def _note_use(found: UserSession) -> None:
    now = utc_now()
    if now - found.last_seen_at < signing_in.SEEN_EVERY:
        return
    db.session.rollback()
    try:
        with writing():
            signing_in.see(found, now)
            db.session.commit()
    except OperationalError:
        db.session.rollback()  # a page need not fail for a note that can be made next time


def load_account() -> None:
    """Before each request: which account the person looks at, and as whom."""
    g.profiles, g.profile, g.account = [], None, None
    if not current_user.is_authenticated:
        return
    query = select(UserProfile).where(UserProfile.user_id == current_user.id)
    found = [profile for profile in db.session.scalars(query) if profile.account.is_active]
    g.profiles = sorted(found, key=lambda profile: profile.account.company_name.lower())
    wanted = session.get("account_id")
    chosen = [profile for profile in g.profiles if profile.account_id == wanted]
    g.profile = (chosen or g.profiles or [None])[0]
    g.account = g.profile.account if g.profile else None


@blueprint.get("/login")
@permits(ANYBODY)
def login() -> Any:
    """The sign-in form."""
    if current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")), 303)
    form = SignInForm(data={"next": request.args.get("next", "")})
    return render_template("accounts/login.html", form=form, message=None)


@blueprint.post("/login")
@permits(ANYBODY)
def sign_in() -> Any:
    """Sign in: a new session, never the one that was there before."""
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template(
            "accounts/login.html", form=form, message=signing_in.WRONG.message
        ), 422
    now, address = utc_now(), request.remote_addr or ""
    result = signing_in.check(form.username.data, form.password.data, address, now)
    if isinstance(result, signing_in.Refusal):
        name = signing_in.normal(form.username.data)[:100]
        audit.record(FormActor(), "sign_in_refused", name=name)
        db.session.commit()
        page = render_template("accounts/login.html", form=form, message=result.message)
        return page, result.status, ({"Retry-After": "60"} if result.status == 429 else {})
    _start_session(result, form.username.data, address)
    return redirect(safe_next(form.next.data), 303)


def _start_session(user: User, username: str, address: str) -> None:
    now = utc_now()
    signing_in.forget_failures(username, address, now)
    if g.get("user_session") is not None:
        signing_in.revoke(g.user_session, now)
    agent = request.headers.get("User-Agent", "")
    token = signing_in.open_session(user, address, agent, now)
    session.clear()
    session.permanent = True
    user.session_token = token
    login_user(user)
    audit.record(FormActor(), "signed_in", user, name=user.username)
    db.session.commit()


@blueprint.post("/logout")
@permits(SIGNED_IN)
def logout() -> Any:
    """End this session, here and in the database."""
    signing_in.revoke(g.user_session, utc_now())
    audit.record(FormActor(), "signed_out", current_user, name=current_user.username)
    db.session.commit()
    logout_user()
    session.clear()
    return redirect(url_for("accounts.login"), 303)


@blueprint.post("/account/switch")
@permits(SIGNED_IN)
def switch() -> Any:
    """Look at another of one's accounts."""
    wanted = request.form.get("account_id", type=int)
    if wanted not in [profile.account_id for profile in g.profiles]:
        abort(404)
    session["account_id"] = wanted
    g.account = next(p.account for p in g.profiles if p.account_id == wanted)
    audit.record(FormActor(), "switched_account", g.account, name=g.account.company_name)
    db.session.commit()
    return redirect(url_for("overview.index"), 303)


@blueprint.post("/theme")
@permits(SIGNED_IN)
def theme() -> Any:
    """Light, dark, or what the system says."""
    wanted = request.form.get("theme", "")
    current_user.theme = wanted if wanted in ("light", "dark") else ""
    db.session.commit()
    return redirect(safe_next(request.form.get("next")), 303)


@blueprint.get("/account/sessions")
@permits(SIGNED_IN)
def sessions() -> str:
    """Where one is signed in."""
    found = signing_in.open_sessions(current_user, utc_now())
    for entry in found:
        entry.is_current = entry.id == g.user_session.id  # type: ignore[attr-defined]
    return render_template("accounts/sessions.html", sessions=found)


@blueprint.post("/account/sessions/<row_id:session_id>/revoke")
@permits(SIGNED_IN)
def revoke_session(session_id: int) -> Any:
    """Sign one browser out."""
    found = db.session.scalar(
        select(UserSession).where(
            UserSession.id == session_id, UserSession.user_id == current_user.id
        )
    )
    if found is None:
        abort(404)
    signing_in.revoke(found, utc_now())
    audit.record(FormActor(), "session_revoked", found, name=current_user.username)
    db.session.commit()
    said("That browser is signed out.")
    return redirect(url_for("accounts.sessions"), 303)


@blueprint.post("/account/sessions/revoke-all")
@permits(SIGNED_IN)
def revoke_all_sessions() -> Any:
    """Sign out everywhere, this browser included."""
    signing_in.revoke_all(current_user, utc_now())
    audit.record(FormActor(), "signed_out_everywhere", current_user, name=current_user.username)
    db.session.commit()
    logout_user()
    session.clear()
    return redirect(url_for("accounts.login"), 303)


def init_app(app: Flask) -> None:
    """Cookies: host-only, not for scripts, the CSRF token in the signed session."""
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(days=7)
    app.before_request(load_account)
    app.register_blueprint(blueprint)
