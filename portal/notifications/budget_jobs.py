"""Telling an account's admins that a budget is nearly or wholly used; once for each mark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.job_queue import Ring, claim, job, rings_of, still_ours, sweep
from portal.limits.finding import name_of
from portal.limits.models import BudgetUse
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News, tell

MOST_AT_ONCE = 100
NAMES = {"account": "the account", "client": "the LLM client", "key": "the API key"}
PERIODS = {"day": "today", "month": "this month"}
FULL = 100
NOTHING_YET = "Nothing is refused yet."
REFUSED = (
    "Prompts that would go beyond it are answered with the client’s own words, or by its cheaper "
    "model where it has one."
)


@sweep
def reached_marks(now: datetime) -> Iterator[Ring]:
    """Budgets that reached a mark of which nobody was told."""
    yield from rings_of(BudgetUse, tell_of_budget, now, most=MOST_AT_ONCE)


@job
def tell_of_budget(use_id: int) -> None:
    """Tell of it, in the transaction that says that it was done."""
    now = utc_now()
    claimed = claim(BudgetUse, use_id, now)
    use = still_ours(BudgetUse, use_id, claimed.generation) if claimed is not None else None
    if use is None:
        db.session.rollback()
        return
    if use.level > use.told_level:
        tell(use.account_id, _news(use), now)
        use.told_level = use.level
    use.next_attempt_at = use.leased_until = None
    use.broken_off = 0
    db.session.commit()


def _news(use: BudgetUse) -> News:
    account = db.session.get_one(Account, use.account_id)
    is_full, name = use.level >= FULL, name_of(account, use.kind, use.subject_id)
    subject = _subject(use, name)
    return News(
        kind=Kind.BUDGET_USED_UP if is_full else Kind.BUDGET_NEARLY_USED,
        level=Level.BAD if is_full else Level.LOOK,
        subject=subject,
        text=f"{subject}.\n{REFUSED if is_full else NOTHING_YET}",
        path="/limits/",
        about=use,
        name=name or account.company_name,
    )


def _subject(use: BudgetUse, name: str) -> str:
    whose = f"{NAMES[use.kind]} {name}".strip()
    if use.level >= FULL:
        return f"The budget of {whose} for {PERIODS[use.period]} is used up"
    return f"{use.level}% of the budget of {whose} for {PERIODS[use.period]} is used"
