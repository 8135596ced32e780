"""Which requests go into a file: a list's filters over a fixed stretch of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.accounts.models import Account
from portal.history_search.conditions import Conditions, conditions
from portal.history_search.filters import UNANSWERED, Filters
from portal.llm_clients import finding
from portal.llm_clients.models import LLMClient
from portal.request_history.time_range import CUSTOM, TimeRange
from portal.usage import queries
from portal.usage.tallies import Tally

# Filters that hourly sums tell apart.
SUMMED = {"client", "status", "mode", "provider", "model"}


@dataclass(frozen=True)
class Selection:
    """Requests of an account; `terms` have to occur in what was said."""

    account_id: int
    llm_client_id: int | None
    terms: tuple[str, ...]
    is_of_session: bool
    found: Conditions


def selected(
    account: Account, values: Mapping[str, str], starts_at: datetime, ends_at: datetime
) -> Selection | None:
    """What the filters of an address select; None where their LLM client is gone."""
    llm_client = None
    if values.get("client"):
        llm_client = finding.for_account(account, values["client"])
        if llm_client is None:
            return None
    span = TimeRange(CUSTOM, starts_at, ends_at, "", ZoneInfo(account.timezone))
    filters = Filters(span, dict(values))
    return Selection(
        account.id,
        llm_client.id if llm_client else None,
        filters.terms,
        bool(filters["session_key"]),
        conditions(account.id, filters, llm_client),
    )


def expected_rows(
    account: Account, filters: Filters, llm_client: LLMClient | None, now: datetime
) -> int | None:
    """About how many requests that are, by the hourly sums; None where those cannot tell."""
    span = filters.span
    oldest = now - timedelta(days=account.request_rows_days)
    if not set(filters.values) <= SUMMED or not span.on_full_hours or span.start < oldest:
        return None
    if filters["status"].isdigit():
        return None
    series = (
        queries.parts_of_client(account.id, llm_client.id)
        if llm_client is not None
        else queries.parts_of_account(account.id)
    )
    kept = [
        one
        for one in series
        if all(filters[name] in ("", getattr(one, name)) for name in ("mode", "provider", "model"))
    ]
    tallies = queries.requests_by_series(kept, span.start, span.end).values()
    return sum(_counted(tally, filters["status"]) for tally in tallies)


def _counted(tally: Tally, status: str) -> int:
    if status == UNANSWERED:
        return tally.requests - tally.answered
    return int(getattr(tally, status)) if status else tally.requests
