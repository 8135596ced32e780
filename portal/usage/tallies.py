"""What is counted of requests, and how it adds up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from portal.usage import histograms
from portal.usage.histograms import Counts

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OUTCOMES = ("answered", "refused", "cancelled", "failed")
NUMBERS = (
    *OUTCOMES,
    "tokens_in",
    "tokens_out",
    "cost_micros",
    "latency_ms",
    "sessions",
)


def hour_of(moment: datetime) -> int:
    """Full hours since 1970, UTC."""
    return int((moment - EPOCH).total_seconds() // 3600)


def outcome_of(status: int) -> str:
    """`answered`, `refused`, `cancelled` (the visitor left) or `failed`, by the HTTP status."""
    if status < 400:
        return "answered"
    if status == 499:
        return "cancelled"
    return "refused" if status < 500 else "failed"


class Counted(NamedTuple):
    """What one row of the history adds to each tally in which it counts; buckets, not ms."""

    outcome: str
    tokens_in: int
    tokens_out: int
    cost_micros: int
    latency_ms: int
    begins_session: bool
    at: datetime
    cause: str
    latency: int | None
    first_token: int | None


def counted(row: Mapping[str, Any], *, begins_session: bool = False) -> Counted:
    """A row (a mapping with the columns of the history) as it is counted."""
    latency, first_token = row["latency_ms"], row["first_token_ms"]
    return Counted(
        outcome_of(row["status"]),
        row["tokens_in"],
        row["tokens_out"],
        row["cost_micros"] or 0,
        latency or 0,
        begins_session,
        row["created_at"],
        row["error_code"],
        None if latency is None else histograms.bucket_of(latency),
        None if first_token is None else histograms.bucket_of(first_token),
    )


@dataclass(slots=True)
class Tally:
    """Sums of some requests.

    `latency_ms` is the sum of the times that answers took, `cost_micros` is in millionths of the
    account's currency; `sessions` counts those that began; `causes` is how often each error code
    came; both histograms are of ms.
    """

    answered: int = 0
    refused: int = 0
    cancelled: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_micros: int = 0
    latency_ms: int = 0
    sessions: int = 0
    last_at: datetime | None = None
    causes: dict[str, int] = field(default_factory=dict)
    latencies: Counts = field(default_factory=dict)
    first_tokens: Counts = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return self.answered + self.refused + self.cancelled + self.failed

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out

    def count(self, one: Counted) -> None:
        """Count one request."""
        setattr(self, one.outcome, getattr(self, one.outcome) + 1)
        self.tokens_in += one.tokens_in
        self.tokens_out += one.tokens_out
        self.cost_micros += one.cost_micros
        self.latency_ms += one.latency_ms
        self.sessions += one.begins_session
        if self.last_at is None or self.last_at < one.at:
            self.last_at = one.at
        if one.cause:
            self.causes[one.cause] = self.causes.get(one.cause, 0) + 1
        if one.latency is not None:
            self.latencies[one.latency] = self.latencies.get(one.latency, 0) + 1
        if one.first_token is not None:
            self.first_tokens[one.first_token] = self.first_tokens.get(one.first_token, 0) + 1

    def add(self, other: Tally) -> None:
        """Add another one to this."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        times = [moment for moment in (self.last_at, other.last_at) if moment is not None]
        self.last_at = max(times, default=None)
        for code, count in other.causes.items():
            self.causes[code] = self.causes.get(code, 0) + count
        histograms.add(self.latencies, other.latencies)
        histograms.add(self.first_tokens, other.first_tokens)

    def took(self, share: float) -> int | None:
        """The time within which `share` of all was answered, in ms."""
        return histograms.quantile(self.latencies, share)
