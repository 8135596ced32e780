"""How limits read on their pages: the meters of budgets, and the worst that a day can cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.accounts.models import Account
from portal.formatting import money, number
from portal.limits import finding
from portal.limits.budgets import DAY, Budget, token_of
from portal.limits.models import BudgetUse

NAMES = {"account": "Account", "client": "LLM client", "key": "API key"}
MOST_PERCENT = 100


@dataclass(frozen=True)
class Meter:
    """One budget: how much of it is used, in words and in percent (0 to 100)."""

    label: str
    used: str
    limit: str
    percent: int
    token: str
    reserved: str


def meters(account: Account, budgets: list[Budget], now: datetime) -> list[Meter]:
    """A line for each limit of each budget, in one query."""
    uses = finding.used(account, budgets, now)
    return [
        meter for budget in budgets for meter in meters_of(budget, uses[budget], account.currency)
    ]


def meters_of(budget: Budget, use: BudgetUse | None, currency: str) -> list[Meter]:
    """A line for each limit of one budget."""
    period = "Today" if budget.period == DAY else "This month"
    used, found = finding.amount_of(use), []
    if budget.tokens is not None:
        reserved = number(use.reserved_tokens) if use and use.reserved_tokens else ""
        limit = f"{number(budget.tokens)} tokens"
        found.append(
            _meter(period, used.tokens, budget.tokens, number(used.tokens), limit, reserved)
        )
    if budget.micros is not None:
        reserved = money(use.reserved_micros, currency) if use and use.reserved_micros else ""
        shown = money(used.micros, currency)
        limit = money(budget.micros, currency)
        found.append(_meter(period, used.micros, budget.micros, shown, limit, reserved))
    return found


def _meter(
    period: str, used: int, limit: int, shown: str, limit_shown: str, reserved: str
) -> Meter:
    percent = used * 100 // limit if limit else MOST_PERCENT
    shown_percent = min(percent, MOST_PERCENT)
    return Meter(period, shown, limit_shown, shown_percent, token_of(percent), reserved)
