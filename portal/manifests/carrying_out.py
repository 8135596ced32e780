"""Doing what was planned: a transaction for the whole text, or for each part of a long one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError, OperationalError

from portal.database import db
from portal.errors import PortalError
from portal.manifests.applying import Actions, Change, apply_document
from portal.manifests.kind import Person
from portal.manifests.planning import Plan, Tell, in_order, silence
from portal.manifests.reading import Document

STALE = "What this was planned from has changed since. Look at the new plan, then apply it."
AWAY = "The database did not answer."
NOTHING = "Nothing was applied."
AGAIN = "Apply the same again: what is done stays as it is."
# Documents that change something in one transaction. SQLite has one writer, and whoever answers a
# prompt waits for it 5 s at most.
MOST_AT_ONCE = {"sqlite": 50}
MOST_ELSEWHERE = 5000


class Stale(PortalError):
    """Nothing more was done; `done` are the changes of the parts before, which stay."""

    def __init__(self, sentence: str, done: Iterable[Change] = ()) -> None:
        super().__init__(sentence)
        self.done = tuple(done)

    @classmethod
    def at(cls, sentence: str, steps: list[_Step], first: int, changes: list[Change]) -> Stale:
        """The same of the step with which the failed part begins."""
        if not first:
            return cls(f"{sentence} {NOTHING}")
        called = f"{steps[first].expected.kind} {steps[first].expected.title}"
        told = f"{first:,} of {len(steps):,} changes were applied, none from {called} on. {AGAIN}"
        return cls(f"{sentence} {told}", (changes[step.number] for step in steps[:first]))


class _Step(NamedTuple):
    number: int
    document: Document
    expected: Change


def most_at_once() -> int:
    """How many changes this database takes in one transaction."""
    return MOST_AT_ONCE.get(db.engine.dialect.name, MOST_ELSEWHERE)


def parts_of(planned: Plan) -> int:
    """In how many transactions it would be done."""
    return -(-len(_to_do(planned)) // most_at_once())


def in_parts(planned: Plan) -> str:
    """That it is done in several transactions, "" where it is done in one."""
    parts = parts_of(planned)
    if not planned.is_possible or parts < 2:
        return ""
    return f"Applied in {parts} parts of {most_at_once():,} changes, each whole or not at all."


def _to_do(planned: Plan) -> list[int]:
    changes = enumerate(planned.changes)
    return [number for number, change in changes if change.action != Actions.NOTHING]


def carry_out(
    documents: list[Document], person: Person, planned: Plan, tell: Tell = silence
) -> list[Change]:
    """Do what was planned, each part whole or not at all. Raises Stale, and stops there."""
    done, ordered, numbers = list(planned.changes), in_order(documents), _to_do(planned)
    steps = [_Step(number, ordered[number], done[number]) for number in numbers]
    most = most_at_once()
    for first in range(0, len(steps), most):
        part = steps[first : first + most]
        try:
            for at, (step, change) in enumerate(_carried_out(part, person), first + 1):
                done[step.number] = change
                tell(at, len(steps), "applied")
        except Stale as error:
            raise Stale.at(error.public_message, steps, first, done) from error
        except OperationalError as error:
            db.session.rollback()
            if not first:
                raise
            raise Stale.at(AWAY, steps, first, done) from error
    return done


def _carried_out(part: list[_Step], person: Person) -> Iterator[tuple[_Step, Change]]:
    """One transaction, committed after its last document."""
    db.session.expire_all()
    person.forget()
    for step in part:
        yield step, _one(step, person)
    db.session.commit()
    person.forget()


def _one(step: _Step, person: Person) -> Change:
    person.secrets.clear()
    try:
        change = apply_document(step.document, person)
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Stale(STALE) from error
    if (change.action, change.made_from) != (step.expected.action, step.expected.made_from):
        db.session.rollback()
        told = " ".join(problem.sentence for problem in change.problems)
        raise Stale(f"{change.kind} {change.title}: {told}" if told else STALE)
    return replace(change, secret=person.secrets[-1]) if person.secrets else change
