"""Commands for operators: `python -m portal.cli <command>`; the same verbs as the pages."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from portal import log_lines
from portal.errors import PortalError
from portal.settings import Settings, SettingsError


@dataclass(frozen=True)
class Command:
    """A verb, and where it is: a command loads no more of the portal than it needs."""

    help: str
    function: str
    arguments: str = ""

    def run(self, settings: Settings, arguments: argparse.Namespace) -> int:
        """Do it; the process's exit."""
        exit_code: int = _loaded(self.function)(settings, arguments)
        return exit_code


def _loaded(reference: str) -> Callable[..., Any]:
    module, _, name = reference.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


COMMANDS = {
    "prepare": Command(
        "Everything that has to be there before the other processes start; may be repeated.",
        "portal.commands:prepare",
    ),
    "migrate": Command("Bring the tables to this version.", "portal.commands:migrate"),
    "worker": Command("Run jobs until stopped.", "portal.background:worker"),
    "clock": Command("Ring for due rows until stopped.", "portal.background:clock"),
    "open-account": Command(
        "Another account with its admin; prints the password if the user is new.",
        "portal.commands:open_account",
    ),
    "export-requests": Command(
        "Requests of an account as a file, with the filters of the list.",
        "portal.table_commands:export_requests",
        "portal.history_exports.command:add_arguments",
    ),
    "count-anew": Command(
        "Hourly sums once more out of the requests, if charts and lists do not agree.",
        "portal.commands:count_anew",
        "portal.history_keeping.rebuild_command:add_arguments",
    ),
    "encryption-keys": Command(
        "How secrets are sealed: add a key, seal everything with it, retire the others.",
        "portal.commands:encryption_keys",
        "portal.vault.command:add_arguments",
    ),
    "verify-audit-log": Command(
        "Whether the audit log is what the portal wrote; ends with 1 if something was altered.",
        "portal.commands:verify_audit_log",
        "portal.audit_log.command:verify_arguments",
    ),
    "export-audit-log": Command(
        "Events of an account’s audit log as a file, with the filters of the page.",
        "portal.commands:export_audit_log",
        "portal.audit_log.command:export_arguments",
    ),
    "manifest": Command(
        "Apply manifests to an account, or export it as manifests.",
        "portal.commands:manifest",
        "portal.manifests.command:add_arguments",
    ),
    "reset-password": Command(
        "A link with which a person chooses another password; works once, for 30 minutes.",
        "portal.commands:reset_password",
    ),
    "remove-second-factor": Command(
        "Let a person sign in with the password alone, when app and recovery codes are lost.",
        "portal.commands:remove_second_factor",
    ),
    "disable-person": Command(
        "Shut a person out of all accounts; sessions and API tokens end.",
        "portal.commands:disable_person",
    ),
    "enable-person": Command(
        "Let a person who was disabled sign in again.", "portal.commands:enable_person"
    ),
}

OF_A_PERSON = ("reset-password", "remove-second-factor", "disable-person", "enable-person")


def parser(chosen: str) -> argparse.ArgumentParser:
    """The command line; of the chosen command with what only its own module knows."""
    root = argparse.ArgumentParser(prog="portal", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True)
    for name, found in COMMANDS.items():
        command = commands.add_parser(name, help=found.help)
        if name == "open-account":
            command.add_argument("company")
            command.add_argument("username")
            command.add_argument("--timezone", default="UTC")
        elif name in OF_A_PERSON:
            command.add_argument("username")
        if found.arguments and name == chosen:
            _loaded(found.arguments)(command)
    return root


def main(words: list[str] | None = None) -> int:
    """Run a command; what is wrong is one sentence on standard error and an exit of 2."""
    typed = sys.argv[1:] if words is None else words
    arguments = parser(next(iter(typed), "")).parse_args(typed)
    log_lines.set_up()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        return COMMANDS[arguments.command].run(Settings.from_environ(os.environ), arguments)
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
