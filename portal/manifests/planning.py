"""What documents would change: each is done and rolled back, so it says what would come of it.

Many share a short transaction that begins with what they need: a plan costs little more than the
documents themselves, and nobody who writes waits long for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import IntegrityError
from wtforms import ValidationError

from portal.database import db
from portal.form_rules import texts_in
from portal.manifests.applying import Actions, Change, apply_document, mark_of
from portal.manifests.checking import Problem
from portal.manifests.kind import Person
from portal.manifests.kinds import ORDER
from portal.manifests.reading import Document

TAKEN = "Somebody else has taken this name a moment ago."
MOST_TOGETHER = 50
SECONDS_TOGETHER = 0.5
BREATH = 0.025  # seconds; who waits for SQLite’s one writer looks every 20 ms
LONGEST_TITLE = 600
Tell = Callable[[int, int, str], None]  # done, all, what is being done


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
    return sorted(documents, key=lambda one: ORDER.get(kind_of(one), len(ORDER)))


def kind_of(document: Document) -> str:
    """The kind that it names, known or not."""
    values = document.values
    return str(values.get("kind")) if isinstance(values, dict) else ""


def plan(documents: list[Document], person: Person, tell: Tell = silence) -> Plan:
    """What would come of it; all is rolled back, what the caller has not committed too."""
    planner, rest_at = _Planner(in_order(documents), person), time.monotonic() + SECONDS_TOGETHER
    while (done := len(planner.changes)) < len(documents):
        tell(done, len(documents), "planned")
        if time.monotonic() > rest_at:
            time.sleep(BREATH)
            rest_at = time.monotonic() + SECONDS_TOGETHER
        planner.plan_some()
    tell(len(documents), len(documents), "planned")
    return Plan(tuple(planner.changes))


class _Planner:
    """How far it has come, and what is needed of what was planned already."""

    def __init__(self, documents: list[Document], person: Person) -> None:
        self.changes: list[Change] = []
        self._documents = documents
        self._person = person
        self._by_title: dict[str, list[int]] = {}  # of documents that change something
        self._names: dict[int, set[str]] = {}
        self._seen: dict[tuple[str, str, Any], int] = {}
        self._here: set[int] = set()  # those of earlier transactions that stand in this one
        self._made: set[tuple[str, Any]] = set()  # rows that this transaction made

    def plan_some(self) -> None:
        """A transaction’s worth, at least one; it ends with the first that cannot be."""
        first, end = len(self.changes), time.monotonic() + SECONDS_TOGETHER
        twins: set[int] = set()
        self._here, self._made = set(), set()
        try:
            for number in range(first, min(first + MOST_TOGETHER, len(self._documents))):
                change, is_twin = self._planned(number)
                self.changes.append(replace(change, row=None))
                twins |= {number} if is_twin else set()
                if change.is_refused or time.monotonic() > end:
                    break
        finally:
            db.session.rollback()
            self._person.forget()
            self._person.secrets.clear()
        self._remember(set(range(first, len(self.changes))) - twins)

    def _remember(self, numbers: set[int]) -> None:
        """Later documents may need these."""
        for number in sorted(numbers):
            change = self.changes[number]
            if change.action in (Actions.CREATE, Actions.CHANGE):
                self._by_title.setdefault(change.title.lower(), []).append(number)

    def _planned(self, number: int) -> tuple[Change, bool]:
        """What would become of it, and whether another one describes the same thing."""
        try:
            for other in self._needed(number):
                self._here.add(other)
                self._do(other)
            change = self._do(number)
        except IntegrityError:
            return taken(self._documents[number]), False
        return self._once(change)

    def _do(self, number: int) -> Change:
        change = apply_document(self._documents[number], self._person)
        db.session.flush()
        return change

    def _once(self, change: Change) -> tuple[Change, bool]:
        if change.row is None:
            return change, False
        row = (change.kind, getattr(change.row, "id", None))
        if change.action == Actions.CREATE:
            self._made.add(row)
        key = (change.kind, change.title, None if row in self._made else row[1])
        if key not in self._seen:
            self._seen[key] = change.line
            return change, False
        told = f"{change.kind} {change.title} is described twice, first on line {self._seen[key]}."
        problem = Problem("metadata.name", told, change.line)
        refused = Change(change.kind, change.title, Actions.REFUSED, change.line, (), (problem,))
        return refused, True

    def _needed(self, number: int) -> list[int]:
        """Those of earlier transactions whose things it names, and what these need."""
        own, names = kind_of(self._documents[number]), _own_names(self._documents[number])
        found: set[int] = set()
        wanted = [number]
        while wanted:
            at = wanted.pop()
            for other in self._named_in(at):
                change = self.changes[other]
                is_itself = change.kind == own and change.title.lower() in names
                if other < at and other not in found and not is_itself:
                    found.add(other)
                    wanted.append(other)
        return sorted(found - self._here)

    def _named_in(self, number: int) -> Iterator[int]:
        if number not in self._names:
            self._names[number] = _names_in(self._documents[number])
        for name in self._names[number]:
            yield from self._by_title.get(name, ())


def _names_in(document: Document) -> set[str]:
    """Every text of it that may be a name, and what stands behind a slash, as in `owner/name`."""
    try:
        texts = {one.lower() for one in texts_in(document.values) if len(one) <= LONGEST_TITLE}
    except ValidationError:
        return set()
    return texts | {text.rpartition("/")[2] for text in texts}


def _own_names(document: Document) -> set[str]:
    values = document.values
    found = values.get("metadata") if isinstance(values, dict) else None
    return {str(found.get("name")).lower()} if isinstance(found, dict) else set()


def taken(document: Document) -> Change:
    """The change of a document whose name came to somebody else meanwhile."""
    problem = Problem("metadata.name", TAKEN, document.line)
    return Change(kind_of(document), "", Actions.REFUSED, document.line, problems=(problem,))
