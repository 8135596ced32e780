"""Reading the sums; every query starts from the account or from clients already found."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select

from portal.accounts.models import Account
from portal.database import db
from portal.usage.models import RequestRollup

SANDBOX, CUSTOM = "sandbox", "custom"


@dataclass(frozen=True)
class ClientUse:
    """How much a client was used lately, and when last (sandbox left out)."""

    requests: int
    last_at: datetime | None


def of_clients(client_ids: list[int], since: datetime) -> dict[int, ClientUse]:
    """Requests since a time, and the last one ever, of each client that had any."""
    total = func.sum(RequestRollup.answered + RequestRollup.failed)
    query = (
        select(
            RequestRollup.llm_client_id,
            total.filter(RequestRollup.hour >= since),
            func.max(RequestRollup.last_at),
        )
        .where(RequestRollup.llm_client_id.in_(client_ids), RequestRollup.mode != SANDBOX)
        .group_by(RequestRollup.llm_client_id)
    )
    return {
        client_id: ClientUse(int(requests or 0), last_at)
        for client_id, requests, last_at in db.session.execute(query)
    }


def last_custom_requests(client_ids: list[int]) -> dict[int, datetime]:
    """When a visitor last asked each client something on its customer's domain."""
    newest = func.max(RequestRollup.last_at)
    query = (
        select(RequestRollup.llm_client_id, newest)
        .where(RequestRollup.llm_client_id.in_(client_ids), RequestRollup.mode == CUSTOM)
        .group_by(RequestRollup.llm_client_id)
    )
    return dict(map(tuple, db.session.execute(query)))


def sandbox_prompts(client_id: int) -> int:
    """How often a client was asked in the sandbox."""
    total = func.sum(RequestRollup.answered + RequestRollup.failed)
    query = select(total).where(
        RequestRollup.llm_client_id == client_id, RequestRollup.mode == SANDBOX
    )
    return int(db.session.scalar(query) or 0)


def used_since(
    connection: Connection, kind: str, subject_id: int, since: datetime
) -> tuple[int, int]:
    """Tokens and cost (micro-units) of an account or a client since a full hour.

    The sandbox counts for the account only; other kinds of subjects have no hourly sums: (0, 0).
    """
    if kind not in ("account", "client"):
        return 0, 0
    table = RequestRollup.__table__
    tokens, cost = func.sum(table.c.tokens_in + table.c.tokens_out), func.sum(table.c.cost_micros)
    query = select(tokens, cost).where(table.c.hour >= since)
    if kind == "account":
        query = query.where(table.c.account_id == subject_id)
    else:
        query = query.where(table.c.llm_client_id == subject_id, table.c.mode != SANDBOX)
    found = connection.execute(query).one()
    return int(found[0] or 0), int(found[1] or 0)


@dataclass(frozen=True)
class Sums:
    """One stretch of time of an account."""

    start: datetime
    answered: int = 0
    failed: int = 0
    tokens: int = 0
    latency_ms: int = 0

    @property
    def requests(self) -> int:
        return self.answered + self.failed


def hourly(account: Account, since: datetime, until: datetime) -> list[Sums]:
    """The account's hours in which visitors asked something, in order."""
    query = (
        select(
            RequestRollup.hour,
            func.sum(RequestRollup.answered),
            func.sum(RequestRollup.failed),
            func.sum(RequestRollup.tokens_in + RequestRollup.tokens_out),
            func.sum(RequestRollup.latency_ms),
        )
        .where(
            RequestRollup.account_id == account.id,
            RequestRollup.hour >= since,
            RequestRollup.hour < until,
            RequestRollup.mode != SANDBOX,
        )
        .group_by(RequestRollup.hour)
        .order_by(RequestRollup.hour)
    )
    rows = db.session.execute(query)
    return [Sums(hour, *(int(value or 0) for value in values)) for hour, *values in rows]


def bundled(hours: list[Sums], start: datetime, width: timedelta, count: int) -> list[Sums]:
    """`count` stretches of `width` by the clock on the wall of `start`, empty ones included.

    On a day whose clocks change, the stretch with the change is an hour longer or shorter.
    """
    borders = [(start + width * index).astimezone(UTC) for index in range(count + 1)]
    stretches = [Sums(border) for border in borders[:-1]]
    for hour in hours:
        index = bisect_right(borders, hour.start) - 1
        if 0 <= index < count:
            stretches[index] = added(stretches[index], hour)
    return stretches


def added(first: Sums, second: Sums) -> Sums:
    """The sums of both, beginning at the first."""
    return Sums(
        first.start,
        first.answered + second.answered,
        first.failed + second.failed,
        first.tokens + second.tokens,
        first.latency_ms + second.latency_ms,
    )
