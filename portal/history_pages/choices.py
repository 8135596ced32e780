"""What the filters of a list offer, with how often each was asked in the range: one query, asked
when the filters are wanted or one of them is chosen.

The numbers are out of the hourly sums; the history itself is not asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import literal, select, union_all

from portal.accounts.models import Account
from portal.database import db
from portal.formatting import number
from portal.history_search.filters import Filters
from portal.llm_clients import finding
from portal.llm_clients.models import LLMClient
from portal.usage import queries as usage
from portal.usage.series import Grain, Series
from portal.vault.models import AuthToken

MOST_CLIENTS = 100
MOST_CHOICES = 40
Option = tuple[str, str]


@dataclass(frozen=True)
class Client:
    """A client that can be chosen."""

    id: int
    hashed_id: str
    name: str


@dataclass(frozen=True)
class Part:
    """A part of what was asked: its series, and how often in the range."""

    series: Series
    key_name: str
    requests: int


@dataclass(frozen=True)
class Offered:
    """Clients by name, the chosen one, and the parts of what was asked."""

    clients: list[Client] = field(default_factory=list)
    client: Client | None = None
    parts: list[Part] = field(default_factory=list)


# Filters that the parts tell apart: name in the address, and its value in a part.
OF_PARTS: dict[str, Callable[[Part], str]] = {
    "provider": lambda part: part.series.provider,
    "model": lambda part: part.series.model,
    "mode": lambda part: part.series.mode,
    "revision": lambda part: str(part.series.revision_number or ""),
    "key": lambda part: str(part.series.api_key_id or ""),
}
OF_CLIENTS_ONLY = ("revision", "key")


def told_apart(has_client: bool) -> list[str]:
    """The filters that hourly sums know; some of a client's sums only."""
    return [name for name in OF_PARTS if has_client or name not in OF_CLIENTS_ONLY]


def fits(part: Part, filters: Filters, names: list[str]) -> bool:
    """Whether a part is what these filters choose."""
    return all(not filters[name] or OF_PARTS[name](part) == filters[name] for name in names)


def offered(account: Account, filters: Filters, *, are_wanted: bool) -> Offered | None:
    """None for a client that is not there or another account's.

    Unless they `are_wanted`, parts are looked for only where a filter chooses among them.
    """
    if not are_wanted and not any(filters[name] for name in OF_PARTS):
        client = _chosen(account, [], filters["client"]) if filters["client"] else None
        is_strange = filters["client"] and client is None
        return None if is_strange else Offered(client=client)
    rows = db.session.execute(_query(account, filters)).all()
    clients = [Client(row.number, row.provider, row.model) for row in rows if row.is_client]
    client = None
    if filters["client"]:
        client = _chosen(account, clients, filters["client"])
        if client is None:
            return None
    parts = [_part(row, account, client) for row in rows if not row.is_client]
    return Offered(sorted(clients, key=lambda one: one.name.lower()), client, parts)


def _query(account: Account, filters: Filters) -> Any:
    mine = (
        select(LLMClient.id, LLMClient.hashed_id, LLMClient.name)
        .where(LLMClient.account_id == account.id)
        .order_by(LLMClient.name)
        .limit(MOST_CLIENTS)
        .subquery()
    )
    chosen = _id_of(account, filters["client"]) if filters["client"] else None
    span = filters.span
    parts = usage.counted_parts(account.id, chosen, span.start, span.end).subquery()
    return union_all(
        select(
            literal(1).label("is_client"),
            mine.c.id.label("number"),
            mine.c.hashed_id.label("provider"),
            mine.c.name.label("model"),
            literal("").label("mode"),
            literal(0).label("revision_number"),
            literal(0).label("api_key_id"),
            literal("").label("key_name"),
            literal(0).label("requests"),
        ),
        select(
            literal(0),
            literal(0),
            parts.c.provider,
            parts.c.model,
            parts.c.mode,
            parts.c.revision_number,
            parts.c.api_key_id,
            AuthToken.name,
            parts.c.requests,
        ).outerjoin_from(parts, AuthToken, AuthToken.id == parts.c.api_key_id),
    )


def clients_of(account: Account) -> list[Client]:
    """The account's clients by name, at most a hundred."""
    query = (
        select(LLMClient.id, LLMClient.hashed_id, LLMClient.name)
        .where(LLMClient.account_id == account.id)
        .order_by(LLMClient.name)
        .limit(MOST_CLIENTS)
    )
    return [Client(*row) for row in db.session.execute(query)]


def _id_of(account: Account, public_id: str) -> Any:
    is_number = finding.is_number(public_id)
    column: Any = LLMClient.id if is_number else LLMClient.hashed_id
    value: Any = int(public_id) if is_number else public_id
    query = select(LLMClient.id).where(LLMClient.account_id == account.id, column == value)
    return query.scalar_subquery()


def _chosen(account: Account, clients: list[Client], public_id: str) -> Client | None:
    for client in clients:
        if public_id in (client.hashed_id, str(client.id)):
            return client
    found = finding.for_account(account, public_id)
    return Client(found.id, found.hashed_id, found.name) if found else None


def _part(row: Any, account: Account, client: Client | None) -> Part:
    series = Series(
        account.id,
        Grain.PART if client else Grain.MODEL,
        client.id if client else 0,
        row.provider,
        row.model,
        row.revision_number,
        row.api_key_id,
        row.mode,
    )
    return Part(series, row.key_name or "", int(row.requests))


def options(found: Offered, filters: Filters, name: str) -> list[Option]:
    """Values of one filter with their numbers, most first; the numbers heed the other filters."""
    others = [other for other in told_apart(found.client is not None) if other != name]
    counts: Counter[str] = Counter()
    words: dict[str, str] = {}
    for part in found.parts:
        value = OF_PARTS[name](part)
        if value:
            counts[value] += part.requests if fits(part, filters, others) else 0
            words[value] = part.key_name if name == "key" and part.key_name else value
    chosen = filters[name]
    if chosen:
        counts.setdefault(chosen, 0)
    kept = [value for value, _ in counts.most_common(MOST_CHOICES)]
    if chosen and chosen not in kept:
        kept.append(chosen)
    return [(value, f"{words.get(value, value)} ({number(counts[value])})") for value in kept]
