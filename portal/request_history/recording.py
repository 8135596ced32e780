"""Recording: each request becomes one committed row before its answer is acknowledged.

One writer thread per process gathers what comes in while it commits and writes it together (group
commit), so that durability costs a few milliseconds and not one disk flush a request.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal.database import declare_writes, reading, utc_now
from portal.errors import PortalError
from portal.limits import reserving
from portal.limits.advances import Advance, Advances
from portal.limits.wishes import Settlement, Wish
from portal.request_history import storing
from portal.request_history.models import LLMClientRequests
from portal.request_history.storing import Visit, whole

log = logging.getLogger(__name__)

LARGEST_BATCH = 500
BUSY_BATCH = 3
LINGER_SECONDS = 0.002
WAIT_SECONDS = 15.0
# The database's refusals, and values that no driver can send (numbers too large, what is no JSON or
# nests without end): they fail their own row and must not end the writer, on whom everybody waits.
UNWRITABLE = (
    SQLAlchemyError,
    ArithmeticError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

# The database is locked or away, for all rows alike.
AWAY = (OperationalError, PoolTimeout)


class NotRecorded(PortalError):
    """The history could not take the row, so the answer must not be acknowledged."""


@dataclass
class Recorded:
    """What there is to tell about one request. `row` holds columns of LLMClientRequests.

    An entry with a `wish` has no row yet: it reserves for a prompt that is to be asked. One with a
    `closed` advance is the writer's own.
    """

    row: dict[str, Any] | None = None
    visit: Visit | None = None
    settlement: Settlement | None = None
    wish: Wish | None = None
    closed: Advance | None = None
    committed: threading.Event = field(default_factory=threading.Event)
    failure: str = ""
    is_given_up: bool = False
    is_second_try: bool = False


class Recorder:
    """The writer thread of a process; started with the first row, so that forks stay clean."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._waiting: queue.SimpleQueue[Recorded] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_busy = False
        self.advances = Advances()

    def record(
        self, row: dict[str, Any], visit: Visit | None, settlement: Settlement | None = None
    ) -> None:
        """Return when the row is committed. Raises NotRecorded when it is not within 15 s."""
        self._wait_for(Recorded(whole(row), visit, settlement))

    def reserve(self, wish: Wish) -> None:
        """Return when the wish is decided and committed. Raises NotRecorded as `record` does.

        What an advance affords was committed before.
        """
        if not reserving.grant_from(self.advances, wish, utc_now()):
            self._wait_for(Recorded(wish=wish))

    def _wait_for(self, recorded: Recorded) -> None:
        self._start()
        self._waiting.put(recorded)
        if not recorded.committed.wait(WAIT_SECONDS):
            recorded.is_given_up = True
            raise NotRecorded("The history does not answer; the request was not accepted.")
        if recorded.failure:
            raise NotRecorded("The history could not be written; the request was not accepted.")

    def _start(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        declare_writes(True)
        while True:
            batch = [recorded for recorded in self._next_batch() if self._is_to_write(recorded)]
            batch += [Recorded(closed=advance) for advance in self.advances.ended(utc_now())]
            self._write(batch)

    def _is_to_write(self, recorded: Recorded) -> bool:
        """Not what nobody waits for, nor what an advance affords that was taken meanwhile."""
        if recorded.is_given_up:
            return False
        wish = recorded.wish
        if wish is None or not reserving.grant_from(self.advances, wish, utc_now()):
            return True
        recorded.committed.set()
        return False

    def _next_batch(self) -> list[Recorded]:
        """What waits, and what comes while others have a turn: busy processes commit less often.

        Nothing, when advances are to be looked at first.
        """
        try:
            batch = [self._waiting.get(timeout=self.advances.wait_seconds)]
        except queue.Empty:
            return []
        time.sleep(LINGER_SECONDS if self._is_busy else 0)
        while len(batch) < LARGEST_BATCH and not self._waiting.empty():
            batch.append(self._waiting.get())
        self._is_busy = len(batch) >= BUSY_BATCH
        return batch

    def _write(self, batch: list[Recorded]) -> None:
        """All in one transaction; if a row is refused, one by one: only the bad one fails."""
        if not batch:
            return
        try:
            taken = _commit(self._engine(), batch, self.advances)
        except UNWRITABLE as error:
            log.warning("a batch of %d rows was not written: %s", len(batch), error)
            if _is_to_be_tried_again(batch, error):
                for recorded in batch:
                    self._write_again(recorded)
                return
            for recorded in batch:
                self._check(recorded, type(error).__name__)
            taken = []
        for advance in taken:
            self.advances.keep(advance)
        for recorded in batch:
            recorded.committed.set()

    def _write_again(self, recorded: Recorded) -> None:
        """Alone, unless its row got in: the error may have come after the commit."""
        with contextlib.suppress(*UNWRITABLE):
            if _is_recorded(self._engine(), recorded):
                recorded.committed.set()
                return
        self._write([recorded])

    def _check(self, recorded: Recorded, failure: str) -> None:
        """After an error: was the row written all the same?"""
        if recorded.closed is not None:
            self.advances.again(recorded.closed)
        try:
            recorded.failure = "" if _is_recorded(self._engine(), recorded) else failure
        except UNWRITABLE:
            recorded.failure = failure


def _is_to_be_tried_again(batch: list[Recorded], error: Exception) -> bool:
    """One by one; and once more alone, as a number may have been drawn that another row has."""
    if isinstance(error, AWAY):
        return False
    if len(batch) > 1:
        return True
    again = isinstance(error, IntegrityError) and not batch[0].is_second_try
    batch[0].is_second_try = True
    return again


def _commit(engine: Engine, batch: list[Recorded], advances: Advances) -> list[Advance]:
    wishes = [entry.wish for entry in batch if entry.wish is not None]
    settlements = [entry.settlement for entry in batch if entry.settlement is not None]
    closed = [entry.closed for entry in batch if entry.closed is not None]
    told = [(entry.row, entry.visit) for entry in batch if entry.row is not None]
    with engine.begin() as connection:
        taken = reserving.write(
            connection, wishes, settlements, utc_now(), advances=advances, closed=closed
        )
        if told:
            storing.insert(connection, told)
    return taken


def _is_recorded(engine: Engine, recorded: Recorded) -> bool:
    """Whether a row got in although its commit was answered with an error."""
    if recorded.row is None:
        return False
    table = LLMClientRequests.__table__
    query = select(table.c.id).where(table.c.request_id == recorded.row["request_id"])
    with reading(), engine.connect() as connection:
        return connection.execute(query).first() is not None
