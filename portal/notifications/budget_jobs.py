"""Telling an account's admins that a budget is nearly or wholly used; once for each mark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.accounts.mails import Mail, mails_to_admins
from portal.accounts.models import Account
from portal.database import current_settings, db, utc_now
from portal.job_queue import Ring, claim, job, rings_of, still_ours, sweep
from portal.limits.finding import name_of
from portal.limits.models import BudgetUse

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
    """Put a mail to each admin into the outbox, in the transaction that says that it was done."""
    now = utc_now()
    claimed = claim(BudgetUse, use_id, now)
    use = still_ours(BudgetUse, use_id, claimed.generation) if claimed is not None else None
    if use is None:
        db.session.rollback()
        return
    if use.level > use.told_level:
        db.session.add_all(_mails_about(use, now))
        use.told_level = use.level
    use.next_attempt_at = use.leased_until = None
    use.broken_off = 0
    db.session.commit()


def _mails_about(use: BudgetUse, now: datetime) -> list[Mail]:
    account = db.session.get_one(Account, use.account_id)
    subject = _subject(use, name_of(account, use.kind, use.subject_id))
    return mails_to_admins(account.id, subject, _text(use, subject), now)


def _subject(use: BudgetUse, name: str) -> str:
    whose = f"{NAMES[use.kind]} {name}".strip()
    if use.level >= FULL:
        return f"The budget of {whose} for {PERIODS[use.period]} is used up"
    return f"{use.level}% of the budget of {whose} for {PERIODS[use.period]} is used"


def _text(use: BudgetUse, subject: str) -> str:
    what = REFUSED if use.level >= FULL else NOTHING_YET
    page = f"{current_settings().platform_url}/limits/"
    return f"{subject}.\n{what}\n\nSee what is used, and change the budget: {page}\n"
