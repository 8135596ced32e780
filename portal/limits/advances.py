"""Advances: what a process reserved for prompts that are still to come. Pure bookkeeping.

While a budget is far from its end, the writer reserves for several prompts in one transaction
(reserving.py), and the next ones with the same budgets are granted from here, without the database.
An advance is one row of the reservations. It is open while prompts may be granted from it; then it
is closed: what is left goes back, and the row goes on to hold what its prompts under way reserved.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from portal.limits.budgets import Amount, Budget, UseKey

PROMPTS = 16
# An advance is taken while so many prompts like the one that wants it would still fit.
ROOM = 64
LARGEST = 10**12
IDLE = timedelta(seconds=2)
LOOK = timedelta(seconds=0.5)
LONGEST_OPEN = timedelta(seconds=30)
# Later than any advance is closed by a process that is alive, with time to try that again.
EXPIRES_AFTER = timedelta(seconds=60)
MOST_SEEN = 10_000


class AdvanceKey(NamedTuple):
    """What a wish must have in common with an advance; another day or budget is another key."""

    account_id: int
    budgets: tuple[Budget, ...]
    sums: tuple[UseKey, ...]


@dataclass
class Advance:
    """`left` may still be granted; `id` is the `request_id` of the row that holds all of it."""

    id: str
    key: AdvanceKey
    uses: tuple[int, ...]
    amount: Amount
    left: Amount
    taken_at: datetime
    used_at: datetime

    @property
    def expires_at(self) -> datetime:
        """When the sweep gives it back if this process did not close it."""
        return self.taken_at + EXPIRES_AFTER

    def is_over(self, now: datetime) -> bool:
        """Whether it is idle, old or used up; also when the clock was set back."""
        return (
            not (self.taken_at <= now < self.taken_at + LONGEST_OPEN)
            or now - self.used_at >= IDLE
            or self.left.tokens <= 0
        )

    def draw(self, wanted: Amount, now: datetime) -> bool:
        """Take `wanted` out of what is left, if it is there."""
        left = Amount(self.left.tokens - wanted.tokens, self.left.micros - wanted.micros)
        if min(left) < 0:
            return False
        self.left, self.used_at = left, now
        return True


def taken(key: AdvanceKey, amount: Amount, uses: tuple[int, ...], now: datetime) -> Advance:
    """An advance for some prompts that each want `amount`, none of it granted yet."""
    whole = times(amount, PROMPTS)
    return Advance(f"advance-{uuid.uuid4().hex}", key, uses, whole, whole, now, now)


def is_affordable(budgets: Iterable[tuple[Budget, Amount]], wanted: Amount) -> bool:
    """Whether each budget, with what is used and reserved of it, has ample room."""
    room = times(wanted, ROOM)
    return (
        wanted.tokens > 0
        and max(room) <= LARGEST
        and all(budget.fits(used, room) for budget, used in budgets)
    )


def times(amount: Amount, count: int) -> Amount:
    return Amount(amount.tokens * count, amount.micros * count)


class Advances:
    """The advances of a process. Every thread may call everything; nothing here waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[AdvanceKey, Advance] = {}
        self._ended: list[Advance] = []
        self._seen: dict[AdvanceKey, datetime] = {}
        self._looked_at: datetime | None = None

    def grant(self, key: AdvanceKey, wanted: Amount, now: datetime) -> Advance | None:
        """The advance that `wanted` was taken out of; None sends the wish to the database."""
        with self._lock:
            advance = self._open.get(key)
            if advance is None or advance.is_over(now):
                return None
            self._seen[key] = now
            return advance if advance.draw(wanted, now) else None

    def is_busy(self, key: AdvanceKey, now: datetime) -> bool:
        """Whether a wish with this key came shortly before; this one is remembered."""
        with self._lock:
            if len(self._seen) > MOST_SEEN:
                self._seen.clear()
            before, self._seen[key] = self._seen.get(key), now
            return before is not None and now - before < IDLE

    def keep(self, advance: Advance) -> None:
        """Open one whose row is committed; it takes the place of an older one."""
        with self._lock:
            self._end([advance.key])
            self._open[advance.key] = advance

    def end(self, full: Collection[UseKey]) -> None:
        """Grant nothing more that counts for one of these sums."""
        with self._lock:
            self._end([key for key in self._open if any(one in full for one in key.sums)])

    def recall(self, key: AdvanceKey) -> Advance | None:
        """Grant nothing more of one that is about to be closed; `ended` hands it out as well."""
        with self._lock:
            advance = self._open.get(key)
            self._end([key])
            return advance

    def ended(self, now: datetime) -> list[Advance]:
        """Those that are to be closed now, each handed out once."""
        with self._lock:
            looked_at = self._looked_at
            if looked_at is None or not (looked_at <= now < looked_at + LOOK):
                self._looked_at = now
                self._end([key for key, one in self._open.items() if one.is_over(now)])
            found, self._ended = self._ended, []
            return [advance for advance in found if now < advance.expires_at]

    def again(self, advance: Advance) -> None:
        """Hand it out once more: it could not be closed."""
        with self._lock:
            self._ended.append(advance)

    @property
    def wait_seconds(self) -> float | None:
        """How long the writer may wait before it looks for idle ones; None while there are none."""
        return LOOK.total_seconds() if self._open or self._ended else None

    def _end(self, keys: Iterable[AdvanceKey]) -> None:
        self._ended.extend(self._open.pop(key) for key in keys if key in self._open)
