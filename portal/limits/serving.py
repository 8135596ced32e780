"""The limits of a served client as one value, read with it and kept in memory as long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import or_, select

from portal.database import db
from portal.limits import defaults
from portal.limits.budgets import Budget, budgets_of
from portal.limits.models import Limits, SubjectKinds

Kinds = SubjectKinds
BUDGETS = ("day_tokens", "day_micros", "month_tokens", "month_micros")


@dataclass(frozen=True)
class KeyLimits:
    """What one API key may do."""

    rate: int = defaults.KEY_RATE
    budgets: tuple[Budget, ...] = ()


@dataclass(frozen=True)
class ClientLimits:
    """What may be asked of one client; `public_budgets` hold while it wants no key."""

    address_rate: int = defaults.ADDRESS_RATE
    session_rate: int = defaults.SESSION_RATE
    concurrent: int = defaults.CLIENT_CONCURRENT
    account_concurrent: int = defaults.ACCOUNT_CONCURRENT
    budgets: tuple[Budget, ...] = ()
    public_budgets: tuple[Budget, ...] = ()
    account_budgets: tuple[Budget, ...] = ()
    keys: Mapping[int, KeyLimits] = field(default_factory=dict)
    reached_words: str = ""
    cheaper_provider: str = ""
    cheaper_model: str = ""

    def of_key(self, key_id: int | None) -> KeyLimits:
        """The limits of the key that a caller presented."""
        return self.keys.get(key_id or 0, KeyLimits())


def limits_of(account_id: int, client_id: int, key_ids: list[int]) -> ClientLimits:
    """Everything that limits a client's prompts, in one query."""
    wanted = or_(
        (Limits.kind == Kinds.ACCOUNT) & (Limits.subject_id == account_id),
        (Limits.kind == Kinds.CLIENT) & (Limits.subject_id == client_id),
        (Limits.kind == Kinds.KEY) & Limits.subject_id.in_(key_ids),
    )
    query = select(Limits).where(Limits.account_id == account_id, wanted)
    rows = {(row.kind, row.subject_id): row for row in db.session.scalars(query)}
    client = rows.get((Kinds.CLIENT, client_id)) or Limits(reached_words="")
    account = rows.get((Kinds.ACCOUNT, account_id)) or Limits()
    limited_keys = [number for kind, number in rows if kind == Kinds.KEY]
    budgets = _budgets(client, Kinds.CLIENT, client_id)
    return ClientLimits(
        address_rate=client.address_rate or defaults.ADDRESS_RATE,
        session_rate=client.session_rate or defaults.SESSION_RATE,
        concurrent=client.concurrent or defaults.CLIENT_CONCURRENT,
        account_concurrent=account.concurrent or defaults.ACCOUNT_CONCURRENT,
        budgets=budgets,
        public_budgets=budgets or (public_budget(client_id),),
        account_budgets=_budgets(account, Kinds.ACCOUNT, account_id),
        keys={number: _key_limits(rows[Kinds.KEY, number]) for number in limited_keys},
        reached_words=client.reached_words or "",
        cheaper_provider=client.cheaper_provider or "",
        cheaper_model=client.cheaper_model or "",
    )


def public_budget(client_id: int) -> Budget:
    """What a client without a key and without a budget of its own may use in a day."""
    return Budget(Kinds.CLIENT, client_id, "day", defaults.PUBLIC_DAY_TOKENS, None)


def _budgets(row: Limits, kind: str, subject_id: int) -> tuple[Budget, ...]:
    return tuple(budgets_of(kind, subject_id, {name: getattr(row, name) for name in BUDGETS}))


def _key_limits(row: Limits) -> KeyLimits:
    return KeyLimits(row.key_rate or defaults.KEY_RATE, _budgets(row, Kinds.KEY, row.subject_id))
