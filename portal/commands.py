"""What the commands for operators do; `worker` and `clock`, which stay, are in `worker.py`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import select

from portal import app, installation, schema
from portal.accounts import audit, opening, signing_in
from portal.accounts.models import User
from portal.audit_log import command as audit_command
from portal.database import db, utc_now
from portal.errors import PortalError
from portal.history_keeping import rebuild_command
from portal.manifests import command as manifest_command
from portal.people import disabling, link_tokens, one_time_links, second_factors
from portal.people.models import Purpose
from portal.providers import finding
from portal.settings import Settings
from portal.vault import command as keys_command


@contextmanager
def _application(settings: Settings) -> Iterator[Flask]:
    """The worker's application; its connections are closed at the end."""
    application = app.create_worker_app(settings)
    with application.app_context():
        try:
            yield application
        finally:
            db.session.remove()
            db.engine.dispose()


def prepare(settings: Settings, arguments: argparse.Namespace) -> int:
    """Everything that has to be there before the other processes start; may be repeated."""
    if settings.is_local:
        installation.make_secrets(settings.data_dir)
        settings = Settings.from_environ(os.environ)
    migrate(settings, arguments)
    with _application(settings) as application:
        password = installation.open_first_account(application, settings)
    if password:
        print(f"First admin: {opening.FIRST_ADMIN}, password {password} (shown only now)")
        print("Sign in with it within 72 hours and choose your own.")
    return 0


def migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    """Bring the tables to this version."""
    with _application(settings):
        schema.upgrade(db.engine)
    return 0


def open_account(settings: Settings, arguments: argparse.Namespace) -> int:
    """Another account with its admin; prints the password if the user is new."""
    password = opening.new_password()
    with _application(settings):
        account = opening.open_account(
            arguments.company,
            arguments.username.lower(),
            password,
            arguments.timezone,
            made_at=utc_now(),
        )
        finding.add_first(account)
        db.session.commit()
        print(f"Account {account.account_number}; if {arguments.username} is new: {password}")
        print("It opens the portal for 72 hours, to choose another one.")
    return 0


def count_anew(settings: Settings, arguments: argparse.Namespace) -> int:
    """Hourly sums once more out of the requests."""
    with _application(settings):
        return rebuild_command.run(arguments, utc_now())


def encryption_keys(settings: Settings, arguments: argparse.Namespace) -> int:
    """The keys that secrets are sealed with."""
    with _application(settings):
        return keys_command.run(settings, arguments)


def verify_audit_log(settings: Settings, arguments: argparse.Namespace) -> int:
    """Whether the audit log is what the portal wrote; 1 if something was altered."""
    with _application(settings):
        return audit_command.verify(arguments, utc_now())


def export_audit_log(settings: Settings, arguments: argparse.Namespace) -> int:
    """Events of an account as a file, with the filters of the page."""
    with _application(settings):
        return audit_command.export(arguments, utc_now())


def manifest(settings: Settings, arguments: argparse.Namespace) -> int:
    """Show what files would change and do it, or write the account as one."""
    with _application(settings):
        return manifest_command.run(arguments, utc_now())


def reset_password(settings: Settings, arguments: argparse.Namespace) -> int:
    """For portals without a mail server, and for the admin who is locked out."""
    with _application(settings):
        user = _user_named(arguments.username)
        token = one_time_links.make(user, Purpose.PASSWORD, utc_now())
        audit.record_of_person(audit.Operator(), "password_link_made", user)
        db.session.commit()
        print(f"{link_tokens.url('reset-password', token)} (works once, for 30 minutes)")
    return 0


def remove_second_factor(settings: Settings, arguments: argparse.Namespace) -> int:
    """For whoever has lost everything but the password; every session ends."""
    with _application(settings):
        user = _user_named(arguments.username)
        second_factors.remove_all(user)
        signing_in.revoke_all(user, utc_now())
        audit.record_of_person(audit.Operator(), "second_factor_removed", user)
        db.session.commit()
    return 0


def disable_person(settings: Settings, arguments: argparse.Namespace) -> int:
    """Nobody signs in as them until they are enabled; sessions and API tokens end."""
    with _application(settings):
        disabling.disable(_user_named(arguments.username), audit.Operator(), utc_now())
        db.session.commit()
    return 0


def enable_person(settings: Settings, arguments: argparse.Namespace) -> int:
    """They may sign in again."""
    with _application(settings):
        user = _user_named(arguments.username)
        if not user.is_enabled:
            disabling.enable(user, audit.Operator())
            db.session.commit()
    return 0


def _user_named(username: str) -> User:
    user = db.session.scalar(select(User).where(User.username == username.lower()))
    if user is None:
        raise PortalError(f"There is no user named {username}.")
    return user
