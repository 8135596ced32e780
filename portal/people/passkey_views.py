"""Passkeys of a person, and signing in with one. Without script the password way stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response, abort, current_app, g, redirect, render_template, session, url_for
from flask_login import current_user

from portal.accounts import audit, signing_in
from portal.database import db, utc_now
from portal.people import linking, passkeys, second_factors, who_asks
from portal.people.confirming import is_confirmed
from portal.people.forms import ConfirmingForm, PasskeyAnswerForm, PasskeyForm
from portal.people.models import Passkey
from portal.people.passkeys import PasskeyError
from portal.people.second_factor_views import told
from portal.people.views import blueprint
from portal.web import ANYBODY, SIGNED_IN, FormActor, permits, safe_next, said

NEW, SIGN_IN = "new_passkey", "sign_in_passkey"  # in the cookie: what a device has to sign
TOO_LATE = "That took too long. Try again."


@blueprint.get("/account/passkeys")
@permits(SIGNED_IN)
def own_passkeys() -> str:
    """Every passkey of the person."""
    return _page(PasskeyForm())


def _page(form: PasskeyForm) -> str:
    rows = passkeys.of_user(current_user)
    return render_template("accounts/passkeys.html", form=form, rows=rows)


@blueprint.post("/account/passkeys/begin")
@permits(SIGNED_IN)
def begin_passkey() -> Any:
    """Its name and the present password; then the device is asked on the next page."""
    form = PasskeyForm()
    if not (form.validate_on_submit() and is_confirmed(form)):
        return _page(form), 422
    now, handle = utc_now(), passkeys.handle_of(current_user)
    session[NEW] = [passkeys.new_challenge(), int(now.timestamp()), form.name.data, handle]
    return redirect(url_for(".new_passkey"), 303)


@blueprint.route("/account/passkeys/new", methods=["GET", "POST"])
@permits(SIGNED_IN)
def new_passkey() -> Any:
    """Let the device make the key pair, and keep the public half."""
    noted, form = _noted(NEW, 4), PasskeyAnswerForm()
    if noted is None:
        said(TOO_LATE, "attention")
        return redirect(url_for(".own_passkeys"), 303)
    challenge, _, name, handle = noted
    if form.validate_on_submit():
        try:
            return _registered(name, form.credential.data or "", challenge, handle)
        except PasskeyError as error:
            db.session.rollback()
            form.form_errors.append(error.public_message)
    options = passkeys.registration_options(current_user, challenge, handle)
    page = render_template("accounts/new_passkey.html", form=form, options=options, name=name)
    return page, (422 if form.errors or form.form_errors else 200)


def _registered(name: str, answer: str, challenge: str, handle: str) -> Any:
    """The first second factor brings recovery codes with it, shown once."""
    is_first = not second_factors.has_one(current_user)
    row = passkeys.register(current_user, name, answer, challenge, handle, utc_now())
    told("passkey_added", f"The passkey {row.name} was added")
    session.pop(NEW, None)
    if not is_first:
        db.session.commit()
        said(f"{row.name} is registered.")
        return redirect(url_for(".own_passkeys"), 303)
    codes = second_factors.new_recovery_codes(current_user)
    signing_in.revoke_all(current_user, utc_now(), but=g.user_session)
    who_asks.renew_session()
    db.session.commit()
    return render_template("accounts/recovery_codes.html", codes=codes)


@blueprint.route("/account/passkeys/<row_id:passkey_id>/remove", methods=["GET", "POST"])
@permits(SIGNED_IN)
def remove_passkey(passkey_id: int) -> Any:
    """Forget a passkey; the device may keep its half, which opens nothing."""
    row, form = passkeys.for_user(current_user, passkey_id), ConfirmingForm()
    if row is None:
        abort(404)
    if form.validate_on_submit() and is_confirmed(form) and not _is_only_way(row, form):
        name = row.name
        db.session.delete(row)
        db.session.flush()
        second_factors.forget_codes_of_none(current_user)
        told("passkey_removed", f"The passkey {name} was removed")
        db.session.commit()
        said(f"{name} is removed.")
        return redirect(url_for(".own_passkeys"), 303)
    page = render_template("accounts/remove_passkey.html", form=form, passkey=row)
    return page, (422 if form.errors else 200)


def _is_only_way(row: Passkey, form: ConfirmingForm) -> bool:
    """Who has no password and is linked with nobody elsewhere keeps a passkey."""
    others = [one for one in passkeys.of_user(current_user) if one.id != row.id]
    if others or current_user.password_hash or linking.has_any(current_user):
        return False
    form.form_errors.append("It is your only way in. Choose a password first.")
    return True


@blueprint.post("/login/passkey/options")
@permits(ANYBODY)
def passkey_options() -> Response:
    """A challenge for this browser; nothing is stored, so nobody fills the database with them."""
    challenge = passkeys.new_challenge()
    session[SIGN_IN] = [challenge, int(utc_now().timestamp())]
    options = passkeys.sign_in_options(challenge)
    return current_app.response_class(options, mimetype="application/json")


@blueprint.post("/login/passkey")
@permits(ANYBODY)
def sign_in_with_passkey() -> Any:
    """A passkey is both factors: the device has checked who holds it."""
    noted, form = _noted(SIGN_IN, 2), PasskeyAnswerForm()
    session.pop(SIGN_IN, None)
    if noted is None or not form.validate_on_submit():
        said(TOO_LATE, "attention")
        return redirect(url_for("accounts.login"), 303)
    try:
        user = passkeys.accept(form.credential.data or "", str(noted[0]), utc_now())
    except PasskeyError as error:
        db.session.rollback()
        _note_refusal(form.credential.data or "")
        db.session.commit()
        said(error.public_message, "failed")
        return redirect(url_for("accounts.login"), 303)
    who_asks.start_session(user, "passkey")
    return redirect(safe_next(form.next.data), 303)


def _note_refusal(answer: str) -> None:
    """With the person, if it is a passkey that is known here."""
    told, user = who_asks.asked_by("passkey"), passkeys.owner_of(answer)
    if user is not None:
        audit.record_of_person(FormActor(), "passkey_refused", user, after=told)
    else:
        audit.record(FormActor(), "passkey_refused", after=told)


def _noted(name: str, length: int) -> list[Any] | None:
    """What the cookie has noted for a device to sign, if that was not long ago."""
    noted = session.get(name)
    if not isinstance(noted, list) or len(noted) != length:
        return None
    since = datetime.fromtimestamp(noted[1], tz=utc_now().tzinfo)
    return noted if utc_now() - since <= passkeys.CHALLENGE_LIFETIME else None
