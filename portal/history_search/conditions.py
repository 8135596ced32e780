"""Filters as conditions on rows: those that an index answers, and those that rows are read for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute

from portal.history_search.filters import OUTCOMES, UNANSWERED, Filters, millionths
from portal.llm_clients.models import LLMClient, Tag
from portal.request_history import numbering
from portal.request_history.models import LLMClientRequests

Row = LLMClientRequests
RANGES = {
    "answered": (0, 399),
    "refused": (400, 498),
    "cancelled": (499, 499),
    "failed": (500, 999),
}
# As the partial index has it, word for word, so that both databases see that it fits.
NOT_ANSWERED = text("llm_client_requests.status >= 400")
EXACT = {
    "mode": Row.mode,
    "host": Row.hostname,
    "provider": Row.provider,
    "model": Row.model,
    "cause": Row.error_code,
}
NUMBERS = {"revision": Row.revision_number, "key": Row.api_key_id}


@dataclass(frozen=True)
class Conditions:
    """`keyed` is what an index together with the id answers; `loose` is looked for row by row.

    Ids go from `first` until before `last`.
    """

    keyed: tuple[Any, ...]
    loose: tuple[Any, ...]
    first: int
    last: int

    def within(self, before: int | None = None) -> list[Any]:
        """All that narrows ids, down from a cursor."""
        last = self.last if before is None else min(before, self.last)
        return [*self.keyed, Row.id >= self.first, Row.id < last]


def conditions(account_id: int, filters: Filters, llm_client: LLMClient | None) -> Conditions:
    """Exactly one of the indices by session, client, account and account's failures fits.

    The account's column is hidden from the planner (`+ 0`) where another index is meant.
    """
    status = filters["status"]
    loose = _loose(filters)
    keyed: tuple[Any, ...]
    if filters["session_key"]:
        keyed = (Row.session_key == filters["session_key"], Row.account_id + 0 == account_id)
        if llm_client is not None:
            loose.append(Row.llm_client_id == llm_client.id)
    elif llm_client is not None:
        keyed = (Row.llm_client_id == llm_client.id, Row.account_id + 0 == account_id)
    elif status and status != "answered" and not status.startswith(("1", "2", "3")):
        keyed = (Row.account_id == account_id, NOT_ANSWERED)
    else:
        keyed = (Row.account_id == account_id,)
    return Conditions(
        keyed,
        tuple(loose),
        numbering.first_of(filters.span.start),
        numbering.first_of(filters.span.end),
    )


def _loose(filters: Filters) -> list[ColumnElement[bool]]:
    found = [column == filters[name] for name, column in EXACT.items() if filters[name]]
    found += [column == int(filters[name]) for name, column in NUMBERS.items() if filters[name]]
    found += _status(filters["status"])
    if filters["error"]:
        found.append(Row.error_text.icontains(filters["error"], autoescape=True))
    if filters["tag"]:
        tagged = select(LLMClient.id).where(LLMClient.tags.any(Tag.name == filters["tag"]))
        found.append(Row.llm_client_id.in_(tagged))
    found += _at_least(Row.latency_ms, filters["slower"], per_second=True)
    if filters["faster"]:
        longest = (millionths(filters["faster"]) or 0) // 1000
        found.append(Row.latency_ms <= longest)
    found += _at_least(Row.cost_micros, filters["cost"])
    if filters["tokens"]:
        found.append(Row.tokens_in + Row.tokens_out >= int(filters["tokens"]))
    return found


def _status(status: str) -> list[ColumnElement[bool]]:
    if status in OUTCOMES:
        return [Row.status.between(*RANGES[status])]
    if status == UNANSWERED:
        return [or_(Row.status >= 400)]
    return [Row.status == int(status)] if status else []


def _at_least(
    column: InstrumentedAttribute[Any], typed: str, *, per_second: bool = False
) -> list[ColumnElement[bool]]:
    if not typed:
        return []
    amount = millionths(typed) or 0
    return [column >= (amount // 1000 if per_second else amount)]
