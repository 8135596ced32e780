"""Events of a chain, newest first: one page of them, or all in batches. Never by offset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, tuple_

from portal.accounts.models import AuditEvent, User, UserProfile
from portal.audit_log import chains
from portal.database import db

PAGE_SIZE = 50
BATCH = 500
MOST_PEOPLE = 200
Conditions = Sequence[ColumnElement[bool]]
Row = tuple[AuditEvent, str | None]


def page(number: int, conditions: Conditions, before: int | None) -> tuple[list[Row], int | None]:
    """Events with their person's name, and the number of the event before which the next begin."""
    found = _some(number, [*conditions, *_older_than(number, before)], PAGE_SIZE + 1)
    more, found = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    return found, found[-1][0].id if more else None


def every(number: int, conditions: Conditions) -> Iterator[Row]:
    """All of them, read in batches; nothing is held between two."""
    place: list[ColumnElement[bool]] = []
    while found := _some(number, [*conditions, *place], BATCH):
        last = found[-1][0]
        place = [tuple_(AuditEvent.created_at, AuditEvent.id) < tuple_(last.created_at, last.id)]
        yield from found
        db.session.rollback()


def _some(number: int, conditions: Conditions, most: int) -> list[Row]:
    query = (
        select(AuditEvent, User.username)
        .outerjoin(User, User.id == AuditEvent.user_id)
        .where(chains.of_number(number), *conditions)
        .order_by(AuditEvent.created_at.desc(), AuditEvent.id.desc())
        .limit(most)
    )
    return [(event, username) for event, username in db.session.execute(query)]


def _older_than(number: int, before: int | None) -> list[ColumnElement[bool]]:
    """Nothing, where there is no such event in this chain."""
    if before is None:
        return []
    query = select(AuditEvent.created_at).where(chains.of_number(number), AuditEvent.id == before)
    moment: Any = db.session.scalar(query)
    if moment is None:
        return []
    return [tuple_(AuditEvent.created_at, AuditEvent.id) < tuple_(moment, before)]


def people(account_id: int) -> list[tuple[str, str]]:
    """Who could be meant, by name: also those who left."""
    query = (
        select(User.id, User.username)
        .join(UserProfile, UserProfile.user_id == User.id)
        .where(UserProfile.account_id == account_id)
        .order_by(User.username)
        .limit(MOST_PEOPLE)
    )
    return [(str(user_id), username) for user_id, username in db.session.execute(query)]
