"""Budgets as values: which periods there are, what still fits, which share is used. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY, MONTH = "day", "month"
WARN_PERCENT, FULL_PERCENT = 80, 100


class Amount(NamedTuple):
    """Tokens, and micro-units of the account's currency."""

    tokens: int
    micros: int


class UseKey(NamedTuple):
    """Which sum a budget is held against; `starts_on` is an ISO date in the account's zone."""

    kind: str
    subject_id: int
    period: str
    starts_on: str


@dataclass(frozen=True)
class Budget:
    """What a subject may use in one period; None is no limit."""

    kind: str
    subject_id: int
    period: str
    tokens: int | None
    micros: int | None

    def key(self, now: datetime, timezone: str) -> UseKey:
        """The sum of the period that `now` is in."""
        return UseKey(
            self.kind, self.subject_id, self.period, starts_on(self.period, now, timezone)
        )

    def fits(self, used: Amount, wanted: Amount, percent: int = FULL_PERCENT) -> bool:
        """Whether `wanted` may be used beside `used`, up to so many percent of the budget."""
        return (
            self.tokens is None or (used.tokens + wanted.tokens) * 100 <= self.tokens * percent
        ) and (self.micros is None or (used.micros + wanted.micros) * 100 <= self.micros * percent)

    def level(self, used: Amount) -> int:
        """0, 80 or 100: the highest mark that `used` has reached."""
        percent = self.percent(used)
        return max((mark for mark in (0, WARN_PERCENT, FULL_PERCENT) if percent >= mark), default=0)

    def percent(self, used: Amount) -> int:
        """The used share of the scarcer of both limits, rounded down; a budget of 0 is full."""
        pairs = ((used.tokens, self.tokens), (used.micros, self.micros))
        shares = [
            100 if not limit else part * 100 // limit for part, limit in pairs if limit is not None
        ]
        return max(shares, default=0)


def starts_on(period: str, now: datetime, timezone: str) -> str:
    """The first day of the period, by the clock on the account's wall."""
    local = now.astimezone(ZoneInfo(timezone)).date()
    return local.isoformat() if period == DAY else local.replace(day=1).isoformat()


def starts_at(key: UseKey, timezone: str) -> datetime:
    """The moment at which the period of a sum began."""
    return datetime.fromisoformat(key.starts_on).replace(tzinfo=ZoneInfo(timezone))


def budgets_of(kind: str, subject_id: int, limits: Mapping[str, int | None]) -> Iterator[Budget]:
    """The budgets in `limits` (`day_tokens`, `day_micros`, `month_tokens`, `month_micros`)."""
    for period in (DAY, MONTH):
        tokens, micros = limits.get(f"{period}_tokens"), limits.get(f"{period}_micros")
        if tokens is not None or micros is not None:
            yield Budget(kind, subject_id, period, tokens, micros)


def token_of(percent: int) -> str:
    """How a budget with so much used looks (formatting.StatusView)."""
    if percent >= FULL_PERCENT:
        return "failed"
    return "attention" if percent >= WARN_PERCENT else "ready"
