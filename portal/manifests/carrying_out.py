"""Several documents: a plan that leaves nothing behind, and doing it, one commit for each.

A plan is the thing itself, rolled back, so that it says exactly what would come of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from portal.database import db
from portal.errors import PortalError
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
    """What would come of it; all is rolled back, what the caller has not committed too."""
    changes: list[Change] = []
    ordered = in_order(documents)
    try:
        for number, document in enumerate(ordered):
            tell(number, len(ordered), "planned")
            changes.append(_tried(document, person))
    finally:
        db.session.rollback()
    tell(len(ordered), len(ordered), "planned")
    return Plan(tuple(_without_twins(changes)))


def _tried(document: Document, person: Person) -> Change:
    """In a savepoint, so that what cannot be leaves the rest as it was."""
    try:
        with db.session.begin_nested() as inner:
            change = apply_document(document, person)
            if change.is_refused:
                inner.rollback()
    except IntegrityError:
        return _taken(document)
    return change


def _taken(document: Document) -> Change:
    problem = Problem("metadata.name", TAKEN, document.line)
    return Change(_kind(document), "", Actions.REFUSED, document.line, problems=(problem,))


def _without_twins(changes: list[Change]) -> list[Change]:
    """A thing that two documents describe is refused: which of them should hold?"""
    seen: dict[tuple[str, str, int], int] = {}
    found = []
    for change in changes:
        key = (change.kind, change.title, id(change.row))
        if change.row is not None and key in seen:
            told = f"{change.kind} {change.title} is described twice, first on line {seen[key]}."
            problem = Problem("metadata.name", told, change.line)
            change = Change(change.kind, change.title, Actions.REFUSED, change.line, (), (problem,))
        seen[key] = change.line
        found.append(change)
    return found


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
        raise Stale(STALE)
    return change
