"""The rows of what was used and reserved, as the writer reads, locks and changes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.limits.budgets import Amount, UseKey, starts_at
from portal.limits.models import BudgetUse
from portal.limits.wishes import Wish
from portal.quick_statements import Quick, among
from portal.usage.queries import used_since

USES = BudgetUse.__table__
MOST_NUMBERS = 20_000
KEY_COLUMNS = (USES.c.kind, USES.c.subject_id, USES.c.period, USES.c.starts_on)


@dataclass
class Sum:
    """A BudgetUse row while the batch is being written."""

    id: int
    used: Amount
    reserved: Amount
    level: int
    is_changed: bool = False
    is_newly_reached: bool = False

    @property
    def total(self) -> Amount:
        return added(self.used, self.reserved)

    def use(self, amount: Amount) -> None:
        self.used, self.is_changed = added(self.used, amount), True

    def reserve(self, amount: Amount, sign: int = 1) -> None:
        self.reserved, self.is_changed = added(self.reserved, amount, sign), True

    def reach(self, level: int) -> None:
        """Remember the highest mark; a new one asks for a mail (notifications)."""
        if level > self.level:
            self.level, self.is_newly_reached = level, True


def added(first: Amount, second: Amount, sign: int = 1) -> Amount:
    return Amount(
        max(0, first.tokens + sign * second.tokens), max(0, first.micros + sign * second.micros)
    )


def locked(
    connection: Connection, wishes: Iterable[Wish], also: Iterable[UseKey]
) -> dict[UseKey, Sum]:
    """The rows of all these sums, locked in one order; those of wishes are made where missing."""
    wanted = {key: wish for wish in wishes for key in wish.sums()}
    if not wanted.keys() <= _numbers.keys():
        _make_missing(connection, wanted)
    found = _read(connection, {*wanted, *also})
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


def _read(connection: Connection, keys: Iterable[UseKey]) -> dict[UseKey, Sum]:
    """By the numbers of the rows, where this process has met all of them before."""
    wanted = sorted(keys)
    numbers = [_numbers.get(key) for key in wanted]
    if None in numbers:
        query = _SELECT.where(tuple_(*KEY_COLUMNS).in_(wanted)).with_for_update()
        found = _sums_of(connection.execute(query))
        _remember(found)
        return found
    return _sums_of(_BY_NUMBER.rows(connection, {"numbers": numbers}))


def _sums_of(rows: Iterable[Any]) -> dict[UseKey, Sum]:
    return {
        UseKey(*row[:4]): Sum(row[4], Amount(*row[5:7]), Amount(*row[7:9]), row[9]) for row in rows
    }


def _remember(found: dict[UseKey, Sum]) -> None:
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
        tokens, micros = used_since(connection, wish.account_id, key.kind, key.subject_id, since)
        rows.append(
            dict(zip(("kind", "subject_id", "period", "starts_on"), key, strict=True))
            | {"account_id": wish.account_id, "tokens": tokens, "micros": micros}
            | {"created_at": wish.asked_at, "updated_at": wish.asked_at}
        )
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(USES).on_conflict_do_nothing(), rows)


_SELECT = select(
    *KEY_COLUMNS,
    USES.c.id,
    USES.c.tokens,
    USES.c.micros,
    USES.c.reserved_tokens,
    USES.c.reserved_micros,
    USES.c.level,
).order_by(USES.c.id)
_BY_NUMBER = Quick(lambda name: _SELECT.where(among(USES.c.id, "numbers", name)).with_for_update())


_NAMES = ("tokens", "micros", "reserved_tokens", "reserved_micros")
_UPDATE = Quick(
    update(USES)
    .where(USES.c.id == bindparam("use_id"))
    .values({name: bindparam(name) for name in _NAMES} | {"updated_at": USES.c.updated_at})
)
_REACH = Quick(
    update(USES)
    .where(USES.c.id == bindparam("use_id"))
    .values({name: bindparam(name) for name in ("level", "next_attempt_at", "updated_at")})
)


def store(connection: Connection, sums: Iterable[Sum], now: datetime) -> None:
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
        _UPDATE.run(connection, changed)
    if reached:
        _REACH.run(connection, reached)
