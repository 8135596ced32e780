"""Reserving before a prompt and settling after it, for a whole batch in one transaction.

The process's one writer calls this (request_history/writing.py), so that a settlement is committed
together with the row of the history that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.limits.budgets import FULL_PERCENT, Amount, Budget, UseKey, starts_at
from portal.limits.models import BudgetReservation, BudgetUse
from portal.usage.queries import used_since

USES = BudgetUse.__table__
RESERVATIONS = BudgetReservation.__table__
MOST_NUMBERS = 20_000
KEY_COLUMNS = (USES.c.kind, USES.c.subject_id, USES.c.period, USES.c.starts_on)
# Longer than any prompt may take: five rounds of tools with their repetitions.
LONGEST_PROMPT = timedelta(minutes=45)


@dataclass
class Wish:
    """What a prompt wants to reserve, and what became of it.

    `reached` is the budget that is in its way. Otherwise `amount` is reserved in each of `uses`.
    """

    request_id: str
    account_id: int
    timezone: str
    budgets: tuple[Budget, ...]
    amount: Amount
    asked_at: datetime
    percent: int = FULL_PERCENT
    reached: Budget | None = None
    uses: tuple[int, ...] = ()

    def sums(self) -> list[UseKey]:
        """The sums of the wish's budgets, in their order."""
        return [budget.key(self.asked_at, self.timezone) for budget in self.budgets]


@dataclass(frozen=True)
class Settlement:
    """A reservation, and what was used of it."""

    wishes: tuple[Wish, ...]
    used: Amount


@dataclass
class _Sum:
    """A BudgetUse row while the batch is being written."""

    id: int
    used: Amount
    reserved: Amount
    level: int
    is_changed: bool = False
    is_newly_reached: bool = False

    def use(self, amount: Amount) -> None:
        self.used, self.is_changed = _added(self.used, amount), True

    def reserve(self, amount: Amount, sign: int = 1) -> None:
        self.reserved, self.is_changed = _added(self.reserved, amount, sign), True

    def reach(self, level: int) -> None:
        """Remember the highest mark; a new one asks for a mail (notifications)."""
        if level > self.level:
            self.level, self.is_newly_reached = level, True


def _added(first: Amount, second: Amount, sign: int = 1) -> Amount:
    return Amount(
        max(0, first.tokens + sign * second.tokens), max(0, first.micros + sign * second.micros)
    )


def write(
    connection: Connection,
    wishes: Sequence[Wish],
    settlements: Sequence[Settlement],
    now: datetime,
) -> None:
    """Settle first, then decide each wish in its turn."""
    settled = [wish for settlement in settlements for wish in settlement.wishes]
    if not wishes and not settled:
        return
    sums = _locked(connection, [*settled, *wishes])
    still_reserved = _given_back(connection, settled)
    for settlement in settlements:
        _settle(sums, settlement, still_reserved)
    granted = [wish for wish in wishes if _grant(sums, wish)]
    _store(connection, sums.values(), now)
    if granted:
        connection.execute(_INSERT, [_reservation(wish) for wish in granted])


def _settle(sums: dict[UseKey, _Sum], settlement: Settlement, still_reserved: set[str]) -> None:
    """All its reservations are given back; what was used counts once."""
    for number, wish in enumerate(settlement.wishes):
        for budget, key in zip(wish.budgets, wish.sums(), strict=True):
            found = sums[key]
            if wish.request_id in still_reserved:
                found.reserve(wish.amount, -1)
            if number == 0:
                found.use(settlement.used)
                found.reach(budget.level(found.used))


def _grant(sums: dict[UseKey, _Sum], wish: Wish) -> bool:
    wish.reached = None  # a batch that was refused is decided once more
    found = [sums[key] for key in wish.sums()]
    for budget, use in zip(wish.budgets, found, strict=True):
        if not budget.fits(_added(use.used, use.reserved), wish.amount, wish.percent):
            wish.reached = budget
            use.reach(FULL_PERCENT)
            return False
    for use in found:
        use.reserve(wish.amount)
    wish.uses = tuple(use.id for use in found)
    return True


def _locked(connection: Connection, wishes: Iterable[Wish]) -> dict[UseKey, _Sum]:
    """The rows of all sums that these wishes are about, locked in one order, made where missing."""
    wanted = {key: wish for wish in wishes for key in wish.sums()}
    if not wanted.keys() <= _numbers.keys():
        _make_missing(connection, wanted)
    found = _read(connection, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        for key in missing:
            _numbers.pop(key, None)
        _make(connection, {key: wanted[key] for key in missing})
        found.update(_read(connection, missing))
    return found


def _make_missing(connection: Connection, wanted: dict[UseKey, Wish]) -> None:
    """Before anything is locked, so that writers who begin a day never wait in a circle."""
    query = select(*KEY_COLUMNS).where(tuple_(*KEY_COLUMNS).in_(sorted(wanted)))
    there = {UseKey(*row) for row in connection.execute(query)}
    missing = {key: wish for key, wish in wanted.items() if key not in there}
    if missing:
        _make(connection, missing)


def _read(connection: Connection, keys: Iterable[UseKey]) -> dict[UseKey, _Sum]:
    """By the numbers of the rows, where this process has met all of them before."""
    wanted = sorted(keys)
    numbers = [_numbers.get(key) for key in wanted]
    if None in numbers:
        query = _SELECT.where(tuple_(*KEY_COLUMNS).in_(wanted)).with_for_update()
        found = _sums_of(connection.execute(query))
        _remember(found)
        return found
    return _sums_of(connection.execute(_BY_NUMBER, {"numbers": numbers}))


def _sums_of(rows: Iterable[Any]) -> dict[UseKey, _Sum]:
    return {
        UseKey(*row[:4]): _Sum(row[4], Amount(*row[5:7]), Amount(*row[7:9]), row[9]) for row in rows
    }


def _remember(found: dict[UseKey, _Sum]) -> None:
    """A number that has become another row's finds nothing, and is then looked up by its key."""
    if len(_numbers) > MOST_NUMBERS:
        _numbers.clear()
    _numbers.update({key: one.id for key, one in found.items()})


_numbers: dict[UseKey, int] = {}


def _make(connection: Connection, missing: dict[UseKey, Wish]) -> None:
    """A sum begins with what the hourly sums know of its period; a key's begins at nothing."""
    rows = []
    for key in sorted(missing):
        wish = missing[key]
        since = starts_at(key, wish.timezone)
        tokens, micros = used_since(connection, key.kind, key.subject_id, since)
        rows.append(
            dict(zip(("kind", "subject_id", "period", "starts_on"), key, strict=True))
            | {"account_id": wish.account_id, "tokens": tokens, "micros": micros}
            | {"created_at": wish.asked_at, "updated_at": wish.asked_at}
        )
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(USES).on_conflict_do_nothing(), rows)


def _given_back(connection: Connection, wishes: Sequence[Wish]) -> set[str]:
    """Delete their reservations; those that were still there, since nobody gave them back."""
    if not wishes:
        return set()
    ids = sorted(wish.request_id for wish in wishes)
    return set(connection.scalars(_DELETE, {"reserved": ids}))


_SELECT = select(
    *KEY_COLUMNS,
    USES.c.id,
    USES.c.tokens,
    USES.c.micros,
    USES.c.reserved_tokens,
    USES.c.reserved_micros,
    USES.c.level,
).order_by(USES.c.id)
_BY_NUMBER = _SELECT.where(USES.c.id.in_(bindparam("numbers", expanding=True))).with_for_update()
_DELETE = (
    delete(RESERVATIONS)
    .where(RESERVATIONS.c.request_id.in_(bindparam("reserved", expanding=True)))
    .returning(RESERVATIONS.c.request_id)
)
_INSERT = insert(RESERVATIONS)
_NAMES = ("tokens", "micros", "reserved_tokens", "reserved_micros")
_UPDATE = (
    update(USES)
    .where(USES.c.id == bindparam("use_id"))
    .values({name: bindparam(name) for name in _NAMES} | {"updated_at": USES.c.updated_at})
)
_REACH = (
    update(USES)
    .where(USES.c.id == bindparam("use_id"))
    .values({name: bindparam(name) for name in ("level", "next_attempt_at", "updated_at")})
)


def _store(connection: Connection, sums: Iterable[_Sum], now: datetime) -> None:
    changed = [
        {"use_id": one.id, **dict(zip(_NAMES, (*one.used, *one.reserved), strict=True))}
        for one in sums
        if one.is_changed
    ]
    reached = [
        {"use_id": one.id, "level": one.level, "next_attempt_at": now, "updated_at": now}
        for one in sums
        if one.is_newly_reached
    ]
    if changed:
        connection.execute(_UPDATE, changed)
    if reached:
        connection.execute(_REACH, reached)


def _reservation(wish: Wish) -> dict[str, Any]:
    return {
        "account_id": wish.account_id,
        "request_id": wish.request_id,
        "uses": list(wish.uses),
        "tokens": wish.amount.tokens,
        "micros": wish.amount.micros,
        "created_at": wish.asked_at,
        "updated_at": wish.asked_at,
        "expires_at": wish.asked_at + LONGEST_PROMPT,
    }
