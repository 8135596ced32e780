"""Limits and what was used of them; every query starts from the account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, tuple_

from portal.accounts.models import Account
from portal.database import db
from portal.limits.budgets import Amount, Budget
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
