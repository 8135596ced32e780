"""What prompts want to reserve, and what became of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.limits.budgets import FULL_PERCENT, Amount, Budget, UseKey


@dataclass
class Wish:
    """What a prompt wants to reserve, and what became of it.

    `reached` is the budget that is in its way. Otherwise `amount` is reserved in each of `uses`, in
    a row of its own or in that of an advance.
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
    advance_id: str = ""

    @property
    def reservation_id(self) -> str:
        """The `request_id` of the row that its amount is reserved in."""
        return self.advance_id or self.request_id

    def sums(self) -> list[UseKey]:
        """The sums of the wish's budgets, in their order."""
        return [budget.key(self.asked_at, self.timezone) for budget in self.budgets]


@dataclass(frozen=True)
class Settlement:
    """A reservation, and what was used of it."""

    wishes: tuple[Wish, ...]
    used: Amount
