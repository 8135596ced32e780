"""What a subject cost, beside its budgets: one query for a page that shows a single number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, literal, select

from portal.accounts.models import Account
from portal.database import db
from portal.limits.budgets import DAY, MONTH, Budget, budgets_of, starts_at, starts_on
from portal.limits.models import BudgetUse, Limits, SubjectKinds
from portal.usage.models import RequestRollup
from portal.usage.series import of_account, of_client
from portal.usage.tallies import hour_of

AMOUNTS = ("day_tokens", "day_micros", "month_tokens", "month_micros")


@dataclass(frozen=True)
class Month:
    """The budgets that were set, what is used of each, and the cost since the month began.

    Micro-units of the account's currency; the sandbox counts for an account, as in its budget.
    """

    budgets: list[Budget]
    uses: dict[str, BudgetUse]
    micros: int


def of(account: Account, kind: SubjectKinds, subject_id: int, now: datetime) -> Month:
    """Of an account or of a client."""
    days = {period: starts_on(period, now, account.timezone) for period in (DAY, MONTH)}
    month = Budget(kind, subject_id, MONTH, None, None).key(now, account.timezone)
    if kind == SubjectKinds.ACCOUNT:
        series = [of_account(subject_id), of_account(subject_id, sandbox=True)]
    else:
        series = [of_client(account.id, subject_id)]
    micros = select(func.coalesce(func.sum(RequestRollup.cost_micros), 0)).where(
        RequestRollup.series_id.in_([one.id for one in series]),
        RequestRollup.hour >= hour_of(starts_at(month, account.timezone)),
    )
    always = select(literal(1).label("one")).subquery()
    query = (
        select(Limits, BudgetUse, micros.scalar_subquery())
        .select_from(always)
        .outerjoin(
            Limits,
            and_(
                Limits.account_id == account.id,
                Limits.kind == kind,
                Limits.subject_id == subject_id,
            ),
        )
        .outerjoin(
            BudgetUse,
            and_(
                BudgetUse.account_id == account.id,
                BudgetUse.kind == kind,
                BudgetUse.subject_id == subject_id,
                BudgetUse.period.in_(list(days)),
                BudgetUse.starts_on.in_(list(days.values())),
            ),
        )
    )
    rows = db.session.execute(query).all()
    limits, _, spent = rows[0]
    amounts = {name: getattr(limits, name) for name in AMOUNTS} if limits else {}
    uses = {use.period: use for _, use, _ in rows if use and days[use.period] == use.starts_on}
    return Month(list(budgets_of(kind, subject_id, amounts)), uses, int(spent))
