"""`manifest apply` and `manifest export` of the command line: the same plan, the same verbs.

Exits with 0 where everything is as it should be, with 1 where something would change and was not
changed (a dry run, or a no), with 2 where it cannot be.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import g
from sqlalchemy import select

from portal.accounts.models import Account, User, UserProfile
from portal.database import db
from portal.errors import PortalError
from portal.manifests import carrying_out, export, planning, reading
from portal.manifests.applying import Actions, Change
from portal.manifests.kind import Person, Values
from portal.manifests.planning import Plan, Tell
from portal.manifests.reading import Document
from portal.manifests.writing import text_of

BAR = 30
SIGNS = {Actions.CREATE: "+", Actions.CHANGE: "~", Actions.NOTHING: "=", Actions.REFUSED: "!"}
Sourced = list[tuple[str, Document]]


@dataclass(frozen=True)
class CommandActor:
    """Who runs the command, as the audit log sees them."""

    account_id: int | None
    user_id: int | None
    address: str = ""
    by: str = "cli"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Two verbs with their own arguments."""
    verbs = command.add_subparsers(dest="verb", required=True)
    apply = verbs.add_parser("apply", help="show what files would change, then do it")
    apply.add_argument("files", metavar="FILE", nargs="+", help="YAML, or - for standard input")
    apply.add_argument("--dry-run", action="store_true", help="only show it")
    apply.add_argument("--yes", action="store_true", help="do not ask before")
    out = verbs.add_parser("export", help="everything of the account as YAML")
    out.add_argument("--client", metavar="NAME", default="", help="only this LLM client")
    out.add_argument("--output", metavar="FILE", type=Path, help="instead of standard output")
    for verb in (apply, out):
        verb.add_argument("--account", metavar="NUMBER", default="", help="if there are several")
        verb.add_argument("--as", metavar="USER", dest="username", default="", help="who acts")


def run(arguments: argparse.Namespace, now: datetime) -> int:
    """Do it; the process's exit. Raises PortalError for what makes no sense."""
    person = _person(arguments, now)
    if arguments.verb == "export":
        return _export(arguments, person)
    return _apply(arguments, person)


def _person(arguments: argparse.Namespace, now: datetime) -> Person:
    """The named person of the account, else its admin."""
    account = _account(arguments.account)
    profile = account.admin_profile
    if arguments.username:
        query = (
            select(UserProfile)
            .join(User)
            .where(
                UserProfile.account_id == account.id,
                UserProfile.removed_at.is_(None),
                User.username == arguments.username.lower(),
            )
        )
        profile = db.session.scalar(query)
    if profile is None:
        raise PortalError("Nobody of this account acts: name somebody with --as.")
    g.account, g.profile = account, profile  # whom the forms of the pages ask about
    actor = CommandActor(account.id, profile.user_id)
    return Person(account, profile, profile.user, actor, now)


def _account(number: str) -> Account:
    query = select(Account).where(Account.account_number == number) if number else select(Account)
    found = list(db.session.scalars(query.limit(2)))
    if not found:
        raise PortalError(f"There is no account {number}.")
    if len(found) > 1:
        raise PortalError("There are several accounts. Name one with --account.")
    return found[0]


def _export(arguments: argparse.Namespace, person: Person) -> int:
    documents = list(export.documents_of(person.account, arguments.client))
    if arguments.client and not documents:
        raise PortalError(f"The account has no LLM client {arguments.client}.")
    tell = _bar() if arguments.output and sys.stderr.isatty() else planning.silence
    text = "".join(_written(documents, tell))
    if arguments.output is None:
        sys.stdout.write(text)
        return 0
    try:
        arguments.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PortalError(f"{arguments.output}: {error.strerror or error}.") from error
    return 0


def _written(documents: list[Values], tell: Tell) -> Iterator[str]:
    for number, document in enumerate(documents):
        tell(number, len(documents), "exported")
        yield text_of([document])
    tell(len(documents), len(documents), "exported")


def _apply(arguments: argparse.Namespace, person: Person) -> int:
    sourced = [found for name in arguments.files for found in _documents(name)]
    sources = {id(document): name for name, document in sourced}
    documents = [document for _, document in sourced]
    tell = _bar() if sys.stderr.isatty() else planning.silence
    planned = planning.plan(documents, person, tell)
    ordered = planning.in_order(documents)
    for document, change in zip(ordered, planned.changes, strict=True):
        sys.stdout.write(_told(change, sources[id(document)]))
    sys.stdout.write(f"{_summary(planned)}\n")
    if parts := carrying_out.in_parts(planned):
        sys.stdout.write(f"{parts}\n")
    if not planned.is_possible:
        sys.stderr.write("Nothing was applied.\n")
        return 2
    if not planned.changes_something:
        return 0
    if arguments.dry_run or not (arguments.yes or _agrees()):
        return 1
    try:
        done = carrying_out.carry_out(documents, person, planned, tell)
    except carrying_out.Stale as error:
        _show_secrets(error.done)
        raise
    _show_secrets(done)
    sys.stdout.write("Applied.\n")
    return 0


def _show_secrets(changes: Iterable[Change]) -> None:
    """What was made and is told this once."""
    for change in changes:
        if change.secret:
            told = f"{change.kind} {change.title}: its secret, shown this once: {change.secret}"
            sys.stdout.write(f"{told}\n")


def _documents(name: str) -> Sourced:
    try:
        content = _content(name)
    except OSError as error:
        raise PortalError(f"{name}: {error.strerror or error}.") from error
    try:
        text = content.decode("utf-8")
        found = reading.documents_of(text, reading.OF_FILE)
        return [(name, document) for document in found]
    except UnicodeDecodeError as error:
        raise PortalError(f"{name}: not UTF-8.") from error
    except PortalError as error:
        raise PortalError(f"{name}: {error.public_message}") from error


def _content(name: str) -> bytes:
    """The whole file; of one that is too large no more than that."""
    most = reading.OF_FILE.octets + reading.OF_FILE.images
    if name == "-":
        content = sys.stdin.buffer.read(most + 1)
    else:
        with Path(name).open("rb") as file:
            content = file.read(most + 1)
    if len(content) > most:
        raise PortalError(f"{name}: larger than {most // 1_000_000} MB.")
    return content


def _told(change: Change, source: str) -> str:
    """The change as lines of text."""
    lines = [f"{SIGNS[change.action]} {change.kind} {change.title}".rstrip()]
    for problem in change.problems:
        lines.append(f"    {source}:{problem.line or change.line}: {problem.sentence}")
    lines.extend(f"    ({remark})" for remark in change.remarks)
    for difference in change.differences:
        lines.append(f"    {difference.label}:")
        lines.extend(f"      {mark} {line}" for mark, line in difference.lines)
        if not difference.lines:
            lines.extend((f"      - {difference.before}", f"      + {difference.after}"))
    return "\n".join(lines) + "\n"


def _summary(planned: Plan) -> str:
    words = ("to create", "to change", "as they are", "refused")
    counts = zip(Actions, words, strict=True)
    return ", ".join(f"{planned.count(action)} {word}" for action, word in counts)


def _agrees() -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write("Nothing was applied: nobody can be asked. Use --yes.\n")
        return False
    sys.stderr.write("Apply? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _bar() -> Tell:
    """A bar on standard error, drawn over itself."""

    def tell(done: int, all_: int, what: str) -> None:
        filled = BAR * done // max(all_, 1)
        end = "\n" if done == all_ else ""
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done} of {all_} {what}{end}")
        sys.stderr.flush()

    return tell
