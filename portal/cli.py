"""Commands for operators: `python -m portal.cli <command>`; the same verbs as the pages."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from portal import app, installation, schema
from portal.accounts import opening
from portal.database import db
from portal.errors import PortalError
from portal.providers import finding
from portal.settings import Settings, SettingsError
from portal.worker import Clock, run_worker


def prepare(settings: Settings, arguments: argparse.Namespace) -> int:
    """Everything that has to be there before the other processes start; may be repeated."""
    if settings.is_local:
        installation.make_secrets(settings.data_dir)
        settings = Settings.from_environ(os.environ)
    migrate(settings, arguments)
    password = installation.open_first_account(app.create_worker_app(settings), settings)
    if password:
        print(f"First admin: {opening.FIRST_ADMIN}, password {password} (shown only now)")
    return 0


def migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    """Bring the tables to this version."""
    application = app.create_worker_app(settings)
    with application.app_context():
        schema.upgrade(db.engine)
        db.engine.dispose()
    return 0


def worker(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run jobs until stopped."""
    run_worker(app.create_worker_app(settings))
    return 0


def clock(settings: Settings, arguments: argparse.Namespace) -> int:
    """Ring for due rows until stopped."""
    Clock(app.create_worker_app(settings)).run()
    return 0


def open_account(settings: Settings, arguments: argparse.Namespace) -> int:
    """Another account with its admin; prints the password if the user is new."""
    password = opening.new_password()
    application = app.create_worker_app(settings)
    with application.app_context():
        account = opening.open_account(
            arguments.company, arguments.username.lower(), password, arguments.timezone
        )
        finding.add_demo(account)
        db.session.commit()
        print(f"Account {account.account_number}; if {arguments.username} is new: {password}")
    return 0


COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], int]] = {
    "prepare": prepare,
    "migrate": migrate,
    "worker": worker,
    "clock": clock,
    "open-account": open_account,
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(prog="portal", description=__doc__)
    commands = found.add_subparsers(dest="command", required=True)
    for name, function in COMMANDS.items():
        command = commands.add_parser(name, help=function.__doc__)
        if name == "open-account":
            command.add_argument("company")
            command.add_argument("username")
            command.add_argument("--timezone", default="UTC")
    return found


def main(words: list[str] | None = None) -> int:
    """Run a command; what is wrong is one sentence on standard error and an exit of 2."""
    arguments = parser().parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        return COMMANDS[arguments.command](Settings.from_environ(os.environ), arguments)
    except SettingsError as error:
        print("\n".join(error.problems), file=sys.stderr)
    except PortalError as error:
        print(error.public_message, file=sys.stderr)
    except SQLAlchemyError as error:
        print(f"The database does not answer: {_first_line(error)}", file=sys.stderr)
    return 2


def _first_line(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
