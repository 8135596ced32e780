"""`verify-audit-log` and `export-audit-log` of the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.accounts import audit
from portal.accounts.models import Account
from portal.audit_log import chains, checks, exporting, listing, verifying
from portal.audit_log.filters import NAMES, RANGE_NAMES, parse
from portal.audit_log.models import PLATFORM
from portal.database import db
from portal.errors import PortalError
from portal.formatting import plural

BAR = 30
ALTERED = 1


def verify_arguments(command: argparse.ArgumentParser) -> None:
    """Without a choice: all chains."""
    command.add_argument("account_number", metavar="ACCOUNT_NUMBER", nargs="?", default="")
    command.add_argument("--platform", action="store_true", help="what belongs to no account")
    command.add_argument(
        "--begin-anew",
        action="store_true",
        help="after a finding that was looked into: note it in the log and seal all events again",
    )


def export_arguments(command: argparse.ArgumentParser) -> None:
    """Filters have the names that they have in the address of the page."""
    command.add_argument("account_number", metavar="ACCOUNT_NUMBER")
    command.add_argument("--format", choices=tuple(exporting.WRITERS), required=True)
    command.add_argument("--output", metavar="FILE", type=Path, required=True)
    for name in (*NAMES, *RANGE_NAMES):
        command.add_argument(f"--{name}", default="", metavar="…", help=f"as {name}= on the page")


def verify(arguments: argparse.Namespace, now: datetime) -> int:
    """Every chain, or one; 1 if one of them is not what the portal wrote."""
    if arguments.begin_anew:
        return _begin_anew(arguments, now)
    worst = 0
    for number, name in list(_chosen(arguments)):
        verifying.begin_looking()
        found = verifying.verify(number, _bar(name) if sys.stderr.isatty() else verifying.always)
        db.session.rollback()
        sys.stdout.write(f"{name}: {_sentence(found)}\n")
        worst = max(worst, ALTERED if found.problem else 0)
    return worst


def _begin_anew(arguments: argparse.Namespace, now: datetime) -> int:
    """One chain, and only one that is broken. What was found is the newest event of the new one."""
    if not (arguments.platform or arguments.account_number):
        raise PortalError("Name the account whose chain begins anew, or --platform.")
    [(number, name)] = _chosen(arguments)
    verifying.begin_looking()
    found = verifying.verify(number)
    db.session.rollback()
    chain = chains.find(number, lock=True)
    if not found.problem:
        raise PortalError(f"The chain of {name} is as the portal wrote it; nothing is done.")
    if chain is None:
        chain = chains.begin(number, now)
    chains.begin_anew(chain, now)
    checks.begin_again(number, now)
    told = {"problem": found.problem}
    actor = audit.Operator(account_id=number if number != PLATFORM else None)
    audit.record(actor, "audit_log_begun_anew", chain, after=told, name=name)
    db.session.commit()
    sys.stdout.write(f"{name}: begun anew. It said before: {found.problem}\n")
    return 0


def _chosen(arguments: argparse.Namespace) -> Iterator[tuple[int, str]]:
    if arguments.platform:
        yield PLATFORM, "platform"
    elif arguments.account_number:
        account = _account(arguments.account_number)
        yield account.id, account.account_number
    else:
        yield PLATFORM, "platform"
        query = select(Account.id, Account.account_number).order_by(Account.id)
        yield from ((account_id, name) for account_id, name in db.session.execute(query))


def _account(number: str) -> Account:
    account = db.session.scalar(select(Account).where(Account.account_number == number))
    if account is None:
        raise PortalError(f"There is no account {number}.")
    return account


def _sentence(found: verifying.Found) -> str:
    waiting = f", {found.unsealed:,} not sealed yet" if found.unsealed else ""
    if found.problem:
        before = f"{found.checked:,} before it in order{waiting}"
        return f"NOT AS IT WAS WRITTEN. {found.problem} ({before})"
    head = f", newest {found.newest} {found.seal}" if found.seal else ""
    return f"{plural(found.checked, 'event', 'events')} in order{head}{waiting}"


def _bar(name: str) -> verifying.Tell:
    def tell(checked: int, total: int) -> bool:
        share = checked / total if total else 1.0
        drawn = "#" * int(BAR * min(1.0, share))
        sys.stderr.write(f"\r{name} [{drawn:<{BAR}}] {share:4.0%}" + "\n" * (checked >= total))
        sys.stderr.flush()
        return True

    return tell


def export(arguments: argparse.Namespace, now: datetime) -> int:
    """Write the file, for its owner's eyes only. Raises PortalError for what makes no sense."""
    account = _account(arguments.account_number)
    typed = {name: getattr(arguments, name) for name in (*NAMES, *RANGE_NAMES)}
    filters = parse(typed, ZoneInfo(account.timezone), now)
    if filters.problems:
        raise PortalError(f"Nothing is exported. {' '.join(filters.problems)}")
    lines = exporting.WRITERS[arguments.format](listing.every(account.id, filters.conditions()))
    draft = arguments.output.with_name(f".{arguments.output.name}.part")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(lines)
        draft.replace(arguments.output)
    except OSError as error:
        raise PortalError(f"{arguments.output}: {error.strerror or error}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return 0
