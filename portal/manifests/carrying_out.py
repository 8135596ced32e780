"""Several documents: a plan that leaves nothing behind, and doing it, one commit for each.

A plan is the thing itself, rolled back, so that it says exactly what would come of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from wtforms import ValidationError

from portal.database import db
from portal.errors import PortalError
from portal.form_rules import texts_in
from portal.manifests.applying import Actions, Change, apply_document, mark_of
from portal.manifests.checking import Problem
from portal.manifests.kind import Person
from portal.manifests.kinds import ORDER
from portal.manifests.reading import Document

STALE = "What this was planned from has changed since. Look at the new plan, then apply it."
TAKEN = "Somebody else has taken this name a moment ago."
Tell = Callable[[int, int, str], None]  # done, all, what is being done


class Stale(PortalError):
    """The account is not as it was when the plan was made; nothing more was done."""


@dataclass(frozen=True)
class Plan:
    """What the documents would change, in the order in which it is done."""

    changes: tuple[Change, ...]

    @property
    def is_possible(self) -> bool:
        return not any(change.is_refused for change in self.changes)

    @property
    def made_from(self) -> str:
        return mark_of(self.changes)

    def count(self, action: str) -> int:
        return sum(1 for change in self.changes if change.action == action)

    @property
    def changes_something(self) -> bool:
        return self.is_possible and self.count(Actions.NOTHING) < len(self.changes)


def silence(done: int, all_: int, what: str) -> None:
    """Nobody looks on."""


def in_order(documents: list[Document]) -> list[Document]:
    """Providers before the clients that use them, and so on; else as they were written."""
    return sorted(documents, key=lambda one: ORDER.get(_kind(one), len(ORDER)))


def _kind(document: Document) -> str:
    values = document.values
    return str(values.get("kind")) if isinstance(values, dict) else ""


def plan(documents: list[Document], person: Person, tell: Tell = silence) -> Plan:
    """What would come of it; all is rolled back, what the caller has not committed too.

    Each document in a short transaction of its own, after those that it needs, so that nobody
    who writes waits for a long plan.
    """
    changes: list[Change] = []
    done: list[tuple[Document, Change]] = []
    seen: dict[tuple[str, str, object], int] = {}
    ordered = in_order(documents)
    for number, document in enumerate(ordered):
        tell(number, len(ordered), "planned")
        change, twin = _tried(document, _needed(document, done), person, seen)
        if not twin and change.action in (Actions.CREATE, Actions.CHANGE):
            done.append((document, change))
        changes.append(change)
    tell(len(ordered), len(ordered), "planned")
    return Plan(tuple(changes))


def _needed(document: Document, done: list[tuple[Document, Change]]) -> list[Document]:
    """Those before it whose things it names, and what these need, in their order."""
    wanted, found = _names_in(document), []
    for other, change in reversed(done):
        is_itself = change.kind == _kind(document) and change.title.lower() in _own_name(document)
        if change.title.lower() in wanted and not is_itself:
            found.append(other)
            wanted |= _names_in(other)
    return list(reversed(found))


def _names_in(document: Document) -> set[str]:
    """Every text of it, and what stands behind a slash, as in `owner/name`."""
    try:
        texts = {text.lower() for text in texts_in(document.values)}
    except ValidationError:
        return set()
    return texts | {text.rpartition("/")[2] for text in texts}


def _own_name(document: Document) -> set[str]:
    values = document.values
    found = values.get("metadata") if isinstance(values, dict) else None
    return {str(found.get("name")).lower()} if isinstance(found, dict) else set()


def _tried(
    document: Document,
    needed: list[Document],
    person: Person,
    seen: dict[tuple[str, str, object], int],
) -> tuple[Change, bool]:
    """What would become of it, and whether another one describes the same thing."""
    try:
        for other in needed:
            apply_document(other, person)
        change = apply_document(document, person)
        db.session.flush()
        is_new = change.action == Actions.CREATE
        key = (change.kind, change.title, None if is_new else getattr(change.row, "id", None))
    except IntegrityError:
        return _taken(document), False
    finally:
        db.session.rollback()
    if change.row is None or key not in seen:
        seen[key] = change.line
        return change, False
    told = f"{change.kind} {change.title} is described twice, first on line {seen[key]}."
    problem = Problem("metadata.name", told, change.line)
    refused = Change(change.kind, change.title, Actions.REFUSED, change.line, (), (problem,))
    return refused, True


def _taken(document: Document) -> Change:
    problem = Problem("metadata.name", TAKEN, document.line)
    return Change(_kind(document), "", Actions.REFUSED, document.line, problems=(problem,))


def carry_out(
    documents: list[Document], person: Person, planned: Plan, tell: Tell = silence
) -> list[Change]:
    """Do what was planned, one transaction for each document. Raises Stale, and stops there."""
    done: list[Change] = []
    ordered = in_order(documents)
    for number, (document, expected) in enumerate(zip(ordered, planned.changes, strict=True)):
        tell(number, len(ordered), "applied")
        db.session.expire_all()
        done.append(_carried_out(document, expected, person))
        db.session.commit()
    tell(len(ordered), len(ordered), "applied")
    return done


def _carried_out(document: Document, expected: Change, person: Person) -> Change:
    try:
        change = apply_document(document, person)
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Stale(STALE) from error
    if (change.action, change.made_from) != (expected.action, expected.made_from):
        db.session.rollback()
        told = " ".join(problem.sentence for problem in change.problems)
        raise Stale(f"{change.kind} {change.title}: {told}" if told else STALE)
    return change
