"""Whether a chain is what the portal wrote: every event in its place, none missing, none added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, tuple_

from portal.accounts.models import AuditEvent
from portal.audit_log import chains
from portal.audit_log.models import AuditChain
from portal.database import db
from portal.errors import PortalError

BATCH = 250  # a few milliseconds, for which a web process answers nobody else
LARGEST = 2**63 - 1
COLUMNS = tuple(AuditEvent.__table__.columns)
Tell = Callable[[int, int], bool]


@dataclass(frozen=True)
class Found:
    """What a look at a chain found. `problem` is a sentence, empty where all is as it was written.

    `checked` events are in order, up to the place `last` of `newest`; `unsealed` wait to be sealed.
    """

    problem: str = ""
    checked: int = 0
    last: int = 0
    newest: int = 0
    seal: str = ""
    unsealed: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether everything that is sealed was looked at."""
        return self.last >= self.newest


def always(checked: int, total: int) -> bool:
    """Goes on to the end, silently."""
    return True


def begin_looking() -> None:
    """A transaction that sees one moment, so that sealing and retention go on beside it."""
    db.session.rollback()
    if db.engine.dialect.name == "postgresql":
        db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def verify(number: int, tell: Tell = always, after: int = 0) -> Found:
    """Look at a chain from the place `after` on (0: from its beginning), in `begin_looking`.

    `tell` hears how many of how many are checked, and answers whether to go on. Never raises for
    what somebody did to the rows.
    """
    unsealed = _count(number, AuditEvent.sequence.is_(None))
    chain = chains.find(number)
    if chain is None:
        if _count(number, AuditEvent.sequence.is_not(None)):
            return Found("The head of the chain is gone, and events that it sealed are there.")
        return Found(unsealed=unsealed)
    try:
        key = chains.key_of(chain)
    except PortalError as error:
        return Found(error.public_message, unsealed=unsealed)
    return _walk(chain, key, tell, after, unsealed)


def _walk(chain: AuditChain, key: bytes, tell: Tell, after: int, unsealed: int) -> Found:
    strange = _strange(chain)
    last, seal = chain.anchor_sequence, chain.anchor_seal
    if after > last:
        last, seal = after, _seal_at(chain.number, after)
    total, checked, place = chain.sequence - last, 0, (last, LARGEST)

    def found(problem: str) -> Found:
        return Found(problem, checked, last, chain.sequence, seal, unsealed)

    if strange:
        return found(strange)
    while events := _batch(chain, place):
        for event in events:
            problem = _problem(event, last + 1, seal, key)
            if problem:
                return found(problem)
            last, seal, checked = event.sequence, event.seal, checked + 1
            place = (event.sequence, event.id)
        if not tell(checked, total):
            return found("")
    if last < chain.sequence:
        return found(f"{_events(last + 1, chain.sequence)} removed from the end of the chain.")
    if seal != chain.seal:
        return found(f"Event {last}, the newest, is not the one that the head of the chain names.")
    return found("")


def _problem(event: Any, expected: int, previous: str, key: bytes) -> str:
    """Why an event cannot stand where it stands; "" where it can."""
    if event.sequence > expected:
        return f"{_events(expected, event.sequence - 1)} removed from the chain."
    if event.sequence < expected:
        return f"{told(event)} was inserted: its place in the chain is taken."
    if chains.link_of(event, expected, previous, key) != event.seal:
        return f"{told(event)} was altered, or stands in another’s place."
    return ""


def _strange(chain: AuditChain) -> str:
    """Events outside of what the head says: before its beginning or after its end."""
    outside = (AuditEvent.sequence <= chain.anchor_sequence) | (
        AuditEvent.sequence > chain.sequence
    )
    query = select(*COLUMNS).where(chains.of_number(chain.number), outside)
    event = db.session.execute(query.order_by(AuditEvent.id).limit(1)).first()
    if event is None:
        return ""
    return f"{told(event)} was inserted: the portal did not write it."


def told(event: Any) -> str:
    """An event by its place, number, action and time."""
    place = f"Event {event.sequence}" if event.sequence else "An event"
    moment = f"{event.created_at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{place} (number {event.id}, {event.action[:60]}, {moment})"


def _events(first: int, last: int) -> str:
    return f"Event {first} was" if first == last else f"Events {first} to {last} were"


def _batch(chain: AuditChain, place: tuple[int, int]) -> list[Any]:
    query = (
        select(*COLUMNS)
        .where(chains.of_number(chain.number), AuditEvent.sequence > chain.anchor_sequence)
        .where(tuple_(AuditEvent.sequence, AuditEvent.id) > tuple_(*place))
        .where(AuditEvent.sequence <= chain.sequence)
        .order_by(AuditEvent.sequence, AuditEvent.id)
        .limit(BATCH)
    )
    return list(db.session.execute(query))


def _seal_at(number: int, sequence: int) -> str:
    query = select(AuditEvent.seal).where(chains.of_number(number), AuditEvent.sequence == sequence)
    return db.session.scalar(query.limit(1)) or ""


def _count(number: int, condition: Any) -> int:
    query = select(func.count()).select_from(AuditEvent).where(chains.of_number(number), condition)
    return int(db.session.scalar(query) or 0)
