"""`count-anew` of the command line: hourly sums once more out of the rows, with a progress bar."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db
from portal.errors import PortalError
from portal.history_keeping import rebuilding
from portal.history_keeping.jobs import rebuild_rollups
from portal.usage.models import RollupRebuild

BAR = 30
WAIT_SECONDS = 0.5  # while a worker has it


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Whose, and since when."""
    command.add_argument("account_number", metavar="ACCOUNT_NUMBER", nargs="?", help="or everybody")
    command.add_argument("--since", metavar="YYYY-MM-DD", help="a day of UTC; else all there are")


def run(arguments: argparse.Namespace, now: datetime) -> int:
    """Count, together with workers if there are any. Raises PortalError for what is nowhere."""
    account_id = _account_of(arguments.account_number)
    wish_id = rebuilding.wish(account_id, _since(arguments.since), now).id
    db.session.commit()
    while True:
        rebuild_rollups(wish_id)
        found = db.session.get_one(RollupRebuild, wish_id, populate_existing=True)
        _show(found.percent)
        if found.finished_at is not None:
            hours = max(0, found.last_hour - found.first_hour + 1)
            sys.stderr.write(f"{hours} hours are counted anew.\n")
            return 0
        is_held = found.leased_until is not None
        db.session.rollback()
        time.sleep(WAIT_SECONDS if is_held else 0)


def _account_of(number: str | None) -> int | None:
    if number is None:
        return None
    found = db.session.scalar(select(Account.id).where(Account.account_number == number))
    if found is None:
        raise PortalError(f"There is no account {number}.")
    return found


def _since(typed: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=UTC) if typed else None
    except ValueError as error:
        raise PortalError(f"{typed} is no day, such as 2026-11-30.") from error


def _show(percent: int) -> None:
    if sys.stderr.isatty():
        done = "#" * (BAR * percent // 100)
        sys.stderr.write(f"\r[{done:{BAR}}] {percent}% " + ("\n" if percent == 100 else ""))
