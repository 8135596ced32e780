"""The list of clients, gathered for its template in a fixed number of queries."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import url_for

from portal.accounts.models import Account
from portal.formatting import StatusView
from portal.llm_clients.deployment import words as status_words
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages import queries
from portal.usage import queries as usage

RECENT = timedelta(days=7)


@dataclass(frozen=True)
class Row:
    """One client of the list."""

    llm_client: LLMClient
    status: StatusView
    reason: str
    host: str | None
    url: str | None
    last_request_at: datetime | None
    requests_7d: int
    is_public: bool


class StatusCount(NamedTuple):
    """One pill of the status filter."""

    key: str
    label: str
    count: int
    url: str
    current: bool


def context(account: Account, filters: queries.Filters, now: datetime) -> dict[str, Any]:
    """The template context of the list."""
    found, later, earlier = queries.page(account, filters)
    ids = [llm_client.id for llm_client in found]
    runs = queries.last_runs(ids) if ids else {}
    used = usage.of_clients(account.id, ids, now - RECENT) if ids else {}
    counts = queries.status_counts(account, filters)
    return {
        "rows": [_row(found_one, runs, used) for found_one in found],
        "filters": filters,
        "status_counts": _status_counts(counts, filters),
        "tags": queries.tags_of(account),
        "owners": queries.owners_of(account),
        "older_url": _url(filters, after=later) if later else None,
        "newer_url": _url(filters, before=earlier) if earlier else None,
        "is_filtered": filters.is_filtered,
        "has_any": bool(found) or filters.is_filtered or bool(counts["all"]),
    }


def _row(
    llm_client: LLMClient, runs: dict[int, Deployment], used: dict[int, usage.ClientUse]
) -> Row:
    status, reason = status_words.status_of(llm_client, runs.get(llm_client.id))
    use = used.get(llm_client.id, usage.ClientUse(0, None))
    return Row(
        llm_client=llm_client,
        status=status,
        reason=reason,
        host=llm_client.hostname if llm_client.deployed else None,
        url=llm_client.url if llm_client.deployed else None,
        last_request_at=use.last_at,
        requests_7d=use.requests,
        is_public=llm_client.is_public,
    )


def _status_counts(counts: dict[str, int], filters: queries.Filters) -> list[StatusCount]:
    labels = {"": "All", **{key: label for key, (label, _) in queries.STATUS_FILTERS.items()}}
    return [
        StatusCount(
            key, label, counts[key or "all"], _url(filters, status=key), filters.status == key
        )
        for key, label in labels.items()
    ]


def _url(filters: queries.Filters, **changes: str) -> str:
    values = {**asdict(filters), "after": "", "before": "", **changes}
    return url_for("llm_clients.index", **{key: value for key, value in values.items() if value})
