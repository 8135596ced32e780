"""Commands for operators: `python -m portal.cli <command>`; the same verbs as the pages."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from portal.errors import PortalError
from portal.settings import Settings, SettingsError


@dataclass(frozen=True)
class Command:
    """A verb, and where it is: a command loads no more of the portal than it needs."""

    help: str
    function: str

    def run(self, settings: Settings, arguments: argparse.Namespace) -> int:
        """Do it; the process's exit."""
        module, _, name = self.function.partition(":")
        exit_code: int = getattr(importlib.import_module(module), name)(settings, arguments)
        return exit_code


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
    "reset-password": Command(
        "A link with which a person chooses another password; works once, for 30 minutes.",
        "portal.commands:reset_password",
    ),
    "remove-second-factor": Command(
        "Let a person sign in with the password alone, when app and recovery codes are lost.",
        "portal.commands:remove_second_factor",
    ),
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(prog="portal", description=__doc__)
    commands = root.add_subparsers(dest="command", required=True)
    for name, found in COMMANDS.items():
        command = commands.add_parser(name, help=found.help)
        if name == "open-account":
            command.add_argument("company")
            command.add_argument("username")
            command.add_argument("--timezone", default="UTC")
        elif name in ("reset-password", "remove-second-factor"):
            command.add_argument("username")
    return root


def main(words: list[str] | None = None) -> int:
    """Run a command; what is wrong is one sentence on standard error and an exit of 2."""
    arguments = parser().parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
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
