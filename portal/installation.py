"""What has to be there before anything starts: folder, secrets, tables, the first account."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import select

from portal.accounts import opening, passwords
from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.errors import PortalError
from portal.providers import finding
from portal.settings import Settings

_MAKERS: dict[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_urlsafe(48),
    "encryption_keys": lambda: Fernet.generate_key().decode(),
    "internal_token": lambda: secrets.token_urlsafe(32),
    "tsig_secret": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
}


def make_secrets(data_dir: Path) -> None:
    """Generate what is missing, readable by the owner only (0600 in a folder of 0700)."""
    folder = data_dir / "secrets"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, make in _MAKERS.items():
        _write_once(folder / name, make())


def _write_once(path: Path, text: str) -> None:
    """Whole or not at all, and never over what is there."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def open_first_account(app: Flask, settings: Settings) -> str | None:
    """The first account with its admin; the password if one was generated, to be shown once."""
    with app.app_context():
        if db.session.scalar(select(Account.id).limit(1)) is not None:
            db.session.rollback()
            return None
        password = settings.admin_password or opening.new_password()
        if not settings.is_local and passwords.is_common(password):
            raise PortalError("PORTAL_ADMIN_PASSWORD is a password that many people have.")
        account = opening.open_account(
            "My account",
            opening.FIRST_ADMIN,
            password,
            "UTC",
            made_at=None if settings.admin_password else utc_now(),
        )
        if account.admin_profile is not None:
            account.admin_profile.user.is_superuser = True
        finding.add_first(account)
        db.session.commit()
        return None if settings.admin_password else password
