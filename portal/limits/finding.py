"""Limits and what was used of them; every query starts from the account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import column, select, table, tuple_

from portal.accounts.models import Account
from portal.database import db
from portal.limits.budgets import Amount, Budget, budgets_of, token_of
from portal.limits.models import BudgetUse, Limits, SubjectKinds


def of_subject(account: Account, kind: SubjectKinds, subject_id: int) -> Limits | None:
    """The limits that somebody set for a client, a key or the account."""
    return db.session.scalar(
        select(Limits).where(
            Limits.account_id == account.id, Limits.kind == kind, Limits.subject_id == subject_id
        )
    )


def made(account: Account, kind: SubjectKinds, subject_id: int) -> Limits:
    """The same row, a new one where there is none yet; in the session, not committed."""
    found = of_subject(account, kind, subject_id)
    if found is None:
        found = Limits(account_id=account.id, kind=kind, subject_id=subject_id)
        db.session.add(found)
    return found


def used(account: Account, budgets: list[Budget], now: datetime) -> dict[Budget, BudgetUse | None]:
    """The sum of each budget in its present period; None where nothing was used yet."""
    keys = {budget: budget.key(now, account.timezone) for budget in budgets}
    columns = (BudgetUse.kind, BudgetUse.subject_id, BudgetUse.period, BudgetUse.starts_on)
    query = select(BudgetUse).where(
        BudgetUse.account_id == account.id, tuple_(*columns).in_(list(keys.values()))
    )
    found = {
        (use.kind, use.subject_id, use.period, use.starts_on): use
        for use in (db.session.scalars(query) if keys else ())
    }
    return {budget: found.get(tuple(key)) for budget, key in keys.items()}


def amount_of(use: BudgetUse | None) -> Amount:
    """What is settled."""
    return Amount(use.tokens, use.micros) if use else Amount(0, 0)


@dataclass(frozen=True)
class Subject:
    """A client or key with a budget of its own, and how much of the scarcest is used."""

    kind: str
    subject_id: int
    name: str
    percent: int
    level: int

    @property
    def token(self) -> str:
        """How its meter looks."""
        return token_of(self.percent)


MOST_SUBJECTS = 200


def subjects(account: Account, now: datetime) -> list[Subject]:
    """What else of the account has budgets, the fullest first."""
    query = (
        select(Limits)
        .where(Limits.account_id == account.id, Limits.kind != SubjectKinds.ACCOUNT)
        .order_by(Limits.id)
        .limit(MOST_SUBJECTS)
    )
    rows = list(db.session.scalars(query))
    budgets = {row.id: list(budgets_of(row.kind, row.subject_id, _limits(row))) for row in rows}
    uses = used(account, [budget for one in budgets.values() for budget in one], now)
    names = {kind: _names(account, kind) for kind in {str(row.kind) for row in rows}}
    found = [
        _subject(row, names[str(row.kind)].get(row.subject_id), budgets[row.id], uses)
        for row in rows
        if budgets[row.id]
    ]
    return sorted((one for one in found if one), key=lambda one: -one.percent)


def _subject(
    row: Limits, name: str | None, budgets: list[Budget], uses: dict[Budget, BudgetUse | None]
) -> Subject | None:
    """None for one that was deleted meanwhile."""
    if name is None:
        return None
    percent = max(budget.percent(amount_of(uses[budget])) for budget in budgets)
    level = max(use.level if (use := uses[budget]) else 0 for budget in budgets)
    return Subject(str(row.kind), row.subject_id, name, min(100, percent), level)


def name_of(account: Account, kind: str, subject_id: int) -> str:
    """What a client or key is called; "" for the account, and for what is gone."""
    return _names(account, kind).get(subject_id, "") if kind in _TABLES else ""


_TABLES = {"client": "llm_clients", "key": "auth_tokens"}


def _names(account: Account, kind: str) -> dict[int, str]:
    """Names by number; by their tables, since the models stand above this slice or beside it."""
    source = table(_TABLES[kind], column("id"), column("name"), column("account_id"))
    query = select(source.c.id, source.c.name).where(source.c.account_id == account.id)
    return {row.id: row.name for row in db.session.execute(query)}


def _limits(row: Limits) -> dict[str, int | None]:
    names = ("day_tokens", "day_micros", "month_tokens", "month_micros")
    return {name: getattr(row, name) for name in names}
