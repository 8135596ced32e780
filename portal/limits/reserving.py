"""Reserving before a prompt and settling after it, for a whole batch in one transaction.

The process's one writer calls this (request_history/recording.py), so that a settlement is
committed together with the row of the history that it belongs to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, update

from portal.limits.advances import Advance, AdvanceKey, Advances, is_affordable, taken
from portal.limits.budgets import FULL_PERCENT, Amount, Budget, UseKey
from portal.limits.models import BudgetReservation
from portal.limits.sums import Sum, added, locked, store
from portal.limits.wishes import Settlement, Wish
from portal.quick_statements import Quick, among

RESERVATIONS = BudgetReservation.__table__
NOTHING = Amount(0, 0)
# Longer than any prompt may take: five rounds of tools with their repetitions.
LONGEST_PROMPT = timedelta(minutes=45)


def grant_from(advances: Advances, wish: Wish, now: datetime) -> bool:
    """Grant a wish from memory, if an advance with its budgets has enough left."""
    if wish.percent != FULL_PERCENT:
        return False
    advance = advances.grant(_key(wish), wish.amount, now)
    if advance is not None:
        _take_from(advance, wish)
    return advance is not None


def write(
    connection: Connection,
    wishes: Sequence[Wish],
    settlements: Sequence[Settlement],
    now: datetime,
    *,
    advances: Advances | None = None,
    closed: Sequence[Advance] = (),
) -> list[Advance]:
    """Settle first, then close advances, then decide each wish in its turn.

    The advances that were taken are `advances.keep`'s when the transaction is committed.
    """
    settled = [wish for settlement in settlements for wish in settlement.wishes]
    if not wishes and not settled and not closed:
        return []
    also = [key for advance in closed for key in advance.key.sums]
    sums = locked(connection, [*settled, *wishes], also)
    still_reserved = _given_back(connection, settled)
    full = {key for one in settlements for key in _settle(sums, one, still_reserved)}
    if full and advances is not None:
        advances.end(full)
    for advance in closed:
        _close(connection, sums, advance, now)
    decided = _Decisions(connection, sums, advances, now)
    for wish in wishes:
        decided.decide(wish)
    store(connection, sums.values(), now)
    if decided.rows:
        _INSERT.run(connection, decided.rows)
    return list(decided.taken.values())


def _settle(
    sums: Mapping[UseKey, Sum], settlement: Settlement, still_reserved: set[str]
) -> set[UseKey]:
    """All its reservations are given back; what was used counts once. The sums that are too full.

    A sum is too full when a provider counted more than was reserved.
    """
    full = set()
    for number, wish in enumerate(settlement.wishes):
        for budget, key in zip(wish.budgets, wish.sums(), strict=True):
            found = sums[key]
            if wish.reservation_id in still_reserved:
                found.reserve(wish.amount, -1)
            if number == 0:
                found.use(settlement.used)
                found.reach(budget.level(found.used))
            if not budget.fits(found.total, NOTHING):
                full.add(key)
    return full


def _key(wish: Wish) -> AdvanceKey:
    return AdvanceKey(wish.account_id, wish.budgets, tuple(wish.sums()))


def _take_from(advance: Advance, wish: Wish) -> None:
    wish.reached, wish.uses, wish.advance_id = None, advance.uses, advance.id


class _Decisions:
    """The wishes of a batch, decided in their turn; `rows` are the reservations to be made."""

    def __init__(
        self,
        connection: Connection,
        sums: Mapping[UseKey, Sum],
        advances: Advances | None,
        now: datetime,
    ) -> None:
        self._connection, self._sums, self._advances, self._now = connection, sums, advances, now
        self.taken: dict[AdvanceKey, Advance] = {}
        self.rows: list[dict[str, Any]] = []

    def decide(self, wish: Wish) -> None:
        """A wish whose batch was refused is decided once more, from the beginning."""
        wish.reached, wish.uses, wish.advance_id = None, (), ""
        key = _key(wish)
        if self._is_in_advance(key, wish):
            return
        found = [self._sums[one] for one in key.sums]
        in_the_way = self._in_the_way(wish, found)
        if in_the_way is not None and self._recall(key):
            in_the_way = self._in_the_way(wish, found)
        if in_the_way is not None:
            wish.reached, use = in_the_way
            use.reach(FULL_PERCENT)
        else:
            wish.uses = tuple(use.id for use in found)
            self._reserve(key, wish, found)

    @staticmethod
    def _in_the_way(wish: Wish, found: list[Sum]) -> tuple[Budget, Sum] | None:
        for budget, use in zip(wish.budgets, found, strict=True):
            if not budget.fits(use.total, wish.amount, wish.percent):
                return budget, use
        return None

    def _recall(self, key: AdvanceKey) -> bool:
        """Give back what this process holds for the same budgets, before a wish is refused."""
        held = self._advances.recall(key) if self._advances is not None else None
        return held is not None and _close(self._connection, self._sums, held, self._now)

    def _reserve(self, key: AdvanceKey, wish: Wish, found: list[Sum]) -> None:
        if self._may_take(key, wish, found):
            advance = taken(key, wish.amount, wish.uses, self._now)
            self.taken[key] = advance
            self._is_in_advance(key, wish)
            amount, row = advance.amount, _row_of(advance)
        else:
            amount, row = wish.amount, _reservation(wish)
        for use in found:
            use.reserve(amount)
        self.rows.append(row)

    def _is_in_advance(self, key: AdvanceKey, wish: Wish) -> bool:
        """Whether an advance that this batch took has enough left; then it is granted."""
        advance = self.taken.get(key) if wish.percent == FULL_PERCENT else None
        if advance is None or not advance.draw(wish.amount, self._now):
            return False
        _take_from(advance, wish)
        return True

    def _may_take(self, key: AdvanceKey, wish: Wish, found: list[Sum]) -> bool:
        """One for each key and batch, and only after a wish that came shortly before."""
        if self._advances is None or wish.percent != FULL_PERCENT or key in self.taken:
            return False
        used = zip(wish.budgets, (use.total for use in found), strict=True)
        return self._advances.is_busy(key, self._now) and is_affordable(used, wish.amount)


def _given_back(connection: Connection, wishes: Sequence[Wish]) -> set[str]:
    """Delete or shrink their reservations; those that were there, since nobody gave them back."""
    alone = sorted(wish.request_id for wish in wishes if not wish.advance_id)
    there = {one for (one,) in _DELETE.rows(connection, {"reserved": alone})} if alone else set()
    shares: defaultdict[str, Amount] = defaultdict(lambda: NOTHING)
    for wish in wishes:
        if wish.advance_id:
            shares[wish.advance_id] = added(shares[wish.advance_id], wish.amount)
    for advance_id in sorted(shares):
        amount = shares[advance_id]
        if _is_shrunk(connection, _SHRINK, advance_id, amount):
            there.add(advance_id)
    return there


def _close(
    connection: Connection, sums: Mapping[UseKey, Sum], advance: Advance, now: datetime
) -> bool:
    """Give back what is left; the row stays for the prompts under way, like any of theirs.

    Only the first time changes anything, and only before the sweep came: `expires_at` tells.
    """
    times = {"open_until": advance.expires_at, "expires_at": now + LONGEST_PROMPT}
    if not _is_shrunk(connection, _CLOSE, advance.id, advance.left, **times):
        return False
    for key in advance.key.sums:
        if key in sums:
            sums[key].reserve(advance.left, -1)
    return True


def _is_shrunk(
    connection: Connection, statement: Quick, advance_id: str, less: Amount, **values: datetime
) -> bool:
    """Whether the row was there; it is deleted when nothing is left of it."""
    parameters = {"advance_id": advance_id, "t": less.tokens, "m": less.micros, **values}
    left = statement.rows(connection, parameters)
    if left and left[0][0] <= 0:
        _DELETE.rows(connection, {"reserved": [advance_id]})
    return bool(left)


_DELETE = Quick(
    lambda name: (
        delete(RESERVATIONS)
        .where(among(RESERVATIONS.c.request_id, "reserved", name))
        .returning(RESERVATIONS.c.request_id)
    )
)
_less = (
    update(RESERVATIONS)
    .where(RESERVATIONS.c.request_id == bindparam("advance_id"))
    .values(
        tokens=RESERVATIONS.c.tokens - bindparam("t"),
        micros=RESERVATIONS.c.micros - bindparam("m"),
        updated_at=RESERVATIONS.c.updated_at,
    )
    .returning(RESERVATIONS.c.tokens)
)
_SHRINK = Quick(_less)
_CLOSE = Quick(
    _less.where(RESERVATIONS.c.expires_at == bindparam("open_until")).values(
        expires_at=bindparam("expires_at")
    )
)


def _reservation(wish: Wish) -> dict[str, Any]:
    expires_at = wish.asked_at + LONGEST_PROMPT
    return _row(wish.account_id, wish.request_id, wish.uses, wish.amount, wish.asked_at, expires_at)


def _row_of(advance: Advance) -> dict[str, Any]:
    account_id, at, until = advance.key.account_id, advance.taken_at, advance.expires_at
    return _row(account_id, advance.id, advance.uses, advance.amount, at, until)


def _row(
    account_id: int,
    request_id: str,
    uses: tuple[int, ...],
    amount: Amount,
    at: datetime,
    expires_at: datetime,
) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "request_id": request_id,
        "uses": list(uses),
        "tokens": amount.tokens,
        "micros": amount.micros,
        "created_at": at,
        "updated_at": at,
        "expires_at": expires_at,
    }


_INSERT = Quick(
    insert(RESERVATIONS), [column.name for column in RESERVATIONS.columns if column.name != "id"]
)
