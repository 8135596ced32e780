"""The way to another portal and back (authorization code with PKCE, state and nonce)."""

from __future__ import annotations

import hmac
import logging
import secrets
from typing import Any

from flask import abort, g, redirect, request, session, url_for
from flask_login import current_user

from portal.accounts import audit
from portal.adapters import current_adapters
from portal.database import current_settings, db, utc_now, writing
from portal.errors import AdapterError, PortalError
from portal.open_id import Identity, OpenIdProvider
from portal.people import entering, linking, sign_on
from portal.people.second_factor_views import told
from portal.people.views import blueprint
from portal.sign_on_settings import SignOnSettings
from portal.web import ANYBODY, FormActor, permits, said

log = logging.getLogger(__name__)
KEPT = "sign_on"  # in the cookie: what the answer has to fit to
LIFETIME_SECONDS = 600
LONGEST_CODE = 4000
TROUBLE = "The sign-on did not work: {reason} Try again, or sign in with your password."
NOT_LINKED = "Nothing was linked: {reason}"
BROKEN_OFF = "it was broken off or took too long."


@blueprint.get("/login/sign-on")
@permits(ANYBODY)
def sign_on_there() -> Any:
    """Send the person to the provider; only this browser can come back."""
    provider = current_adapters().sign_on
    if provider is None:
        abort(404)
    db.session.rollback()
    try:
        address = way_there(provider, request.args.get("next", "")[:2000])
    except AdapterError as error:
        return _back(error.public_message, error.detail)
    return redirect(address, 303)


def way_there(provider: OpenIdProvider, target: str, linking_session: int = 0) -> str:
    """Where the provider asks who it is; noted in the cookie for the way back.

    With the number of a session, whoever comes back is linked with its person. Raises AdapterError.
    """
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    address = provider.address(_redirect_uri(), state, nonce, verifier)
    since = int(utc_now().timestamp())
    session[KEPT] = [state, nonce, verifier, since, target, linking_session]
    return address


def _redirect_uri() -> str:
    """From the settings, as the provider knows it; never from a request."""
    return f"{current_settings().platform_url}{url_for('accounts.sign_on_back')}"


@blueprint.get("/login/sign-on/back")
@permits(ANYBODY)
def sign_on_back() -> Any:
    """What the provider sends the person back with: a code for a token, once."""
    provider, noted = current_adapters().sign_on, session.pop(KEPT, None)
    if provider is None:
        abort(404)
    if not isinstance(noted, list) or len(noted) != 6:
        return _back(BROKEN_OFF)
    state, nonce, verifier, since, target, linking_session = noted
    code, g.is_linking = request.args.get("code", ""), bool(linking_session)
    is_late = utc_now().timestamp() - since > LIFETIME_SECONDS
    is_ours = hmac.compare_digest(request.args.get("state", "").encode(), str(state).encode())
    # RFC 9207: who answers says so, where it can
    is_theirs = request.args.get("iss", provider.settings.issuer) == provider.settings.issuer
    if is_late or not is_ours or not is_theirs or not 0 < len(code) <= LONGEST_CODE:
        return _back(BROKEN_OFF)
    if linking_session and not _is_still(linking_session):
        return _back(BROKEN_OFF)
    db.session.rollback()  # nothing is held while the provider is asked
    try:
        identity = provider.identity(code, _redirect_uri(), nonce, verifier, utc_now())
        with writing():
            if linking_session:
                return _linked(identity, provider.settings)
            return _entered(identity, provider.settings, target)
    except AdapterError as error:
        return _refused(error.public_message, error.detail)
    except PortalError as error:
        return _refused(error.public_message)


def _is_still(session_id: int) -> bool:
    """Whether the session that wanted to link is the one that comes back."""
    is_here = current_user.is_authenticated and g.get("account") is not None
    return bool(is_here and g.user_session.id == session_id)


def _linked(identity: Identity, settings: SignOnSettings) -> Any:
    """Another way in for the person who is signed in."""
    if linking.link(current_user, identity, settings.issuer):
        told("sign_on_linked", f"A sign-on with {settings.name} was linked")
        db.session.commit()
    said(f"{settings.name} signs you in from now on.")
    return redirect(url_for("accounts.own_sign_on"), 303)


def _entered(identity: Identity, settings: SignOnSettings, target: str) -> Any:
    user = sign_on.admit(identity, settings, utc_now())
    audit.record_of_person(FormActor(), "signed_on", user)
    return entering.enter(user, target, "single sign-on", utc_now())


def _refused(reason: str, detail: str = "") -> Any:
    """Somebody came from the provider and does not get in: that is in the audit log."""
    db.session.rollback()
    with writing():
        audit.record(FormActor(), "sign_on_refused")
        db.session.commit()
    return _back(reason, detail)


def _back(reason: str, detail: str = "") -> Any:
    """To where one came from, with a sentence; the details are for the log."""
    log.warning("sign-on refused: %s %s", reason, detail)
    sentence = reason[:1].lower() + reason[1:]
    if g.get("is_linking"):
        said(NOT_LINKED.format(reason=sentence), "failed")
        return redirect(url_for("accounts.own_sign_on"), 303)
    said(TROUBLE.format(reason=sentence), "failed")
    return redirect(url_for("accounts.login"), 303)
