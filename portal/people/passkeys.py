"""Passkeys (WebAuthn level 3): registering them, and signing in with one that is discoverable.

The device checks who holds it (user verification), so a passkey is both factors in one.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

import webauthn
from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.accounts.models import User
from portal.database import current_settings, db
from portal.errors import PortalError
from portal.people.models import Passkey, UsedChallenge

CHALLENGE_LIFETIME = timedelta(minutes=5)
LONGEST_ANSWER = 20_000
MOST = 20  # of one person
REQUIRED = UserVerificationRequirement.REQUIRED


class PasskeyError(PortalError):
    """A passkey that does not do; the message is for the reader."""


def new_challenge() -> str:
    """What a device signs: random, for five minutes and one answer."""
    return bytes_to_base64url(secrets.token_bytes(32))


def of_user(user: User) -> list[Passkey]:
    """The person's passkeys, oldest first."""
    query = select(Passkey).where(Passkey.user_id == user.id).order_by(Passkey.id).limit(MOST)
    return list(db.session.scalars(query))


def for_user(user: User, passkey_id: int) -> Passkey | None:
    """One of the person's own."""
    query = select(Passkey).where(Passkey.user_id == user.id, Passkey.id == passkey_id)
    return db.session.scalar(query)


def registration_options(user: User, challenge: str, handle: str) -> str:
    """What the browser asks the device for, as JSON; devices with a key of ours refuse."""
    options = webauthn.generate_registration_options(
        rp_id=current_settings().platform_host,
        rp_name="Portal",
        user_name=user.username,
        user_id=base64url_to_bytes(handle),
        challenge=base64url_to_bytes(challenge),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=base64url_to_bytes(passkey.credential_id))
            for passkey in of_user(user)
        ],
    )
    return webauthn.options_to_json(options)


def handle_of(user: User) -> str:
    """What devices call the person; a new one before the first passkey."""
    known = of_user(user)
    return known[0].user_handle if known else bytes_to_base64url(secrets.token_bytes(64))


def register(
    user: User, name: str, answer: str, challenge: str, handle: str, now: datetime
) -> Passkey:
    """Store the public half of what the device has made. Raises PasskeyError."""
    try:
        made = webauthn.verify_registration_response(
            credential=_parsed(answer),
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=current_settings().platform_host,
            expected_origin=current_settings().platform_url,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyError("The device’s answer does not fit. Try again.") from error
    _use_up(challenge, now)
    if len(of_user(user)) >= MOST:
        raise PasskeyError(f"{MOST} passkeys are enough. Remove one first.")
    credential_id = bytes_to_base64url(made.credential_id)
    row = Passkey(
        user_id=user.id,
        name=name,
        credential_hash=_hash(credential_id),
        credential_id=credential_id,
        public_key=bytes_to_base64url(made.credential_public_key),
        user_handle=handle,
        sign_count=made.sign_count,
    )
    return _added(row, "This passkey is registered already.")


def sign_in_options(challenge: str) -> str:
    """What the browser asks for at the sign-in: any passkey of ours that the device has."""
    options = webauthn.generate_authentication_options(
        rp_id=current_settings().platform_host,
        challenge=base64url_to_bytes(challenge),
        user_verification=REQUIRED,
    )
    return webauthn.options_to_json(options)


def accept(answer: str, challenge: str, now: datetime) -> User:
    """The person whose passkey signed the challenge. Raises PasskeyError."""
    wrong = PasskeyError("This passkey is not known here, or did not answer rightly.")
    try:
        parsed = _parsed(answer)
        row = db.session.scalar(
            select(Passkey).where(Passkey.credential_hash == _hash(str(parsed["id"])))
        )
        if row is None or not row.user.is_enabled:
            raise wrong
        if parsed["response"].get("userHandle") != row.user_handle:
            raise wrong
        verified = webauthn.verify_authentication_response(
            credential=parsed,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=current_settings().platform_host,
            expected_origin=current_settings().platform_url,
            credential_public_key=base64url_to_bytes(row.public_key),
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise wrong from error
    _use_up(challenge, now)
    _count(row, verified.new_sign_count, now)
    return row.user


def owner_of(answer: str) -> User | None:
    """Whose passkey an answer names, whether or not it is right."""
    try:
        name = _hash(str(_parsed(answer)["id"]))
    except (ValueError, KeyError):
        return None
    row = db.session.scalar(select(Passkey).where(Passkey.credential_hash == name))
    return row.user if row else None


def _count(row: Passkey, sign_count: int, now: datetime) -> None:
    """A counter that does not grow tells of a copied key; devices without one say 0 (6.1.1)."""
    grows = or_(Passkey.sign_count < sign_count, Passkey.sign_count == 0)
    taken = db.session.execute(
        update(Passkey)
        .where(Passkey.id == row.id, grows)
        .values(sign_count=sign_count, last_used_at=now)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:
        raise PasskeyError("This passkey may have been copied. Remove it, and register another.")


def _use_up(challenge: str, now: datetime) -> None:
    """Of two answers to one challenge the first counts; old challenges are forgotten."""
    db.session.execute(
        delete(UsedChallenge).where(UsedChallenge.created_at < now - 2 * CHALLENGE_LIFETIME)
    )
    row = UsedChallenge(challenge_hash=_hash(challenge), created_at=now)
    _added(row, "This answer was used already. Try again.")


def _added(row: Any, sentence: str) -> Any:
    """Add a row that must be the only one of its kind. Raises PasskeyError with the sentence."""
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError as error:
        raise PasskeyError(sentence) from error
    return row


def _parsed(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("longer than any device answers")
    found = json.loads(answer)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
