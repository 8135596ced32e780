"""What the TLS edge is told, from memory: certificates by host, and which hosts may have one.

While nothing changes no question goes to the database. While the database is away the edge gets
what it got last.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal.caching import cache
from portal.certificates import store
from portal.database import db

log = logging.getLogger(__name__)

KEPT_NAMES = 10_000
AWAY_SECONDS = 2.0  # after a failure nobody waits for the database again so soon
AWAY = (OperationalError, DBAPIError, PoolTimeout)
T = TypeVar("T")


class NoAnswer(Exception):
    """The database is away, and there was no answer for this name before."""


@dataclass(frozen=True)
class Served:
    """One certificate as the edge gets it."""

    pem: str = field(repr=False)
    not_before: datetime
    not_after: datetime


class LastKnown:
    """The last answer for each name that has one, for bad times; the oldest go.

    Names without an answer are not kept: strangers may ask for any number of those.
    """

    def __init__(self) -> None:
        self.away_until = 0.0
        self._answers: OrderedDict[tuple[str, str], Any] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: tuple[str, str], answer: Any) -> None:
        with self._lock:
            if not answer:
                self._answers.pop(key, None)
                return
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > KEPT_NAMES:
                self._answers.popitem(last=False)

    def get(self, key: tuple[str, str]) -> Any:
        """Raises NoAnswer for a name that had none."""
        with self._lock:
            if key not in self._answers:
                raise NoAnswer(key)
            return self._answers[key]

    def knows(self, key: tuple[str, str]) -> bool:
        with self._lock:
            return key in self._answers


def init_app(app: Flask) -> None:
    app.extensions["portal_last_known"] = LastKnown()


def certificate_of(host: str, now: datetime) -> str | None:
    """Chain and key to show for a host now; None where there is none. Raises NoAnswer."""
    found: tuple[Served, ...] = remembered("certificate", host, lambda: _load(host))
    good = (one for one in found if one.not_before <= now < one.not_after)
    return next((one.pem for one in good), None)


def remembered(kind: str, name: str, load: Callable[[], T]) -> T:
    """What `load` gives, as long as nothing changes, and as long as the database is away."""
    last_known: LastKnown = current_app.extensions["portal_last_known"]
    key = (kind, name)
    if time.monotonic() < last_known.away_until and last_known.knows(key):
        kept: T = last_known.get(key)
        return kept
    try:
        answer = cache().get(key, load)
    except AWAY as error:
        db.session.rollback()
        log.warning("the database is away, the edge gets its last answers: %s", error)
        last_known.away_until = time.monotonic() + AWAY_SECONDS
        return last_known.get(key)  # type: ignore[no-any-return]
    last_known.put(key, answer)
    return answer


def _load(host: str) -> tuple[Served, ...]:
    found = store.served_certificates(host)
    return tuple(
        Served(store.pem_of(one), one.not_before, one.not_after)
        for one in found[:2]
        if one.not_before and one.not_after
    )
