"""`export-requests` of the command line: the same rows and formats, into a file of one's own."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db
from portal.errors import PortalError
from portal.formatting import plural
from portal.history_exports.exporting import label_of
from portal.history_exports.formats import WRITERS
from portal.history_exports.jobs import Position, written
from portal.history_exports.selection import Selection, expected_rows, selected
from portal.history_search.filters import RANGE_NAMES, READERS, Filters, parse
from portal.llm_clients import finding
from portal.request_history import numbering

BAR = 30
Tell = Callable[[Position], None]


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Filters have the names that they have in the address of the list."""
    command.add_argument("account_number", metavar="ACCOUNT_NUMBER")
    command.add_argument("--format", choices=tuple(WRITERS), required=True)
    command.add_argument("--output", metavar="FILE", type=Path, required=True)
    for name in (*RANGE_NAMES, *READERS):
        command.add_argument(f"--{name}", default="", metavar="…", help=f"as {name}= in the list")


def run(arguments: argparse.Namespace, now: datetime) -> int:
    """Write the file. Raises PortalError for what makes no sense, or cannot be written."""
    number = arguments.account_number
    account = db.session.scalar(select(Account).where(Account.account_number == number))
    if account is None:
        raise PortalError(f"There is no account {arguments.account_number}.")
    typed = {name: getattr(arguments, name) for name in (*RANGE_NAMES, *READERS)}
    filters = parse(typed, ZoneInfo(account.timezone), now)
    if filters.problems:
        raise PortalError(f"Nothing is exported. {' '.join(filters.problems)}")
    client = finding.for_account(account, filters["client"]) if filters["client"] else None
    ends_at = max(filters.span.start, min(filters.span.end, now))
    selection = selected(account, filters.values, filters.span.start, ends_at)
    if selection is None:
        raise PortalError(f"The account has no LLM client {filters['client']}.")
    expected = expected_rows(account, filters, client, now)
    what = f"{filters.span.label}{', ' if filters.values else ''}{label_of(filters, client)}"
    db.session.commit()
    tell = _bar(expected, filters, ends_at) if sys.stderr.isatty() else _silence
    try:
        rows = _write(arguments.output, arguments.format, selection, ends_at, tell)
    except OSError as error:
        raise PortalError(f"{arguments.output}: {error.strerror or error}.") from error
    sys.stderr.write(f"{plural(rows, 'request', 'requests')} in {arguments.output} ({what})\n")
    return 0


def _write(
    output: Path, file_format: str, selection: Selection, ends_at: datetime, tell: Tell
) -> int:
    """Under another name beside it, until it is whole; for its owner's eyes only."""
    draft = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    position = Position(numbering.first_of(ends_at), 0, 0)
    try:
        with os.fdopen(handle, "r+b") as file:
            while not position.is_done:
                position = written(file, file_format, selection, position)
                tell(position)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    return position.rows


def _silence(position: Position) -> None:
    """Nobody looks on."""


def _bar(expected: int | None, filters: Filters, ends_at: datetime) -> Tell:
    """On one line: by the rows where their number is known, else by the time that is behind."""
    length = max(1.0, (ends_at - filters.span.start).total_seconds())

    def tell(position: Position) -> None:
        behind = (ends_at - numbering.time_of(position.cursor)).total_seconds() / length
        share = position.rows / expected if expected else behind
        share = 1.0 if position.is_done else max(0.0, min(0.99, share))
        drawn = "#" * int(BAR * share)
        line = f"\r[{drawn:<{BAR}}] {share:4.0%}  {position.rows:,} requests"
        sys.stderr.write(line + ("\n" if position.is_done else ""))
        sys.stderr.flush()

    return tell
