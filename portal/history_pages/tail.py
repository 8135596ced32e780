"""Whether anything came in since somebody last looked: told by sums and one number, not by rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for
from sqlalchemy import select

from portal.database import db
from portal.formatting import number
from portal.history_pages.address import Address
from portal.history_pages.when_chart import whole
from portal.history_search.conditions import Row
from portal.history_search.listing import PAGE_SIZE
from portal.usage import queries as usage

AFTER_MS = 5_000
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Live:
    """Where the page asks again, after how many milliseconds, and what is new."""

    url: str
    news: str = ""
    after: int = AFTER_MS


def mark(account_id: int, client_id: int | None, now: datetime) -> str:
    """Another one as soon as a request of the account (or the client) is recorded, late or not."""
    series = whole(account_id, client_id)
    hours = usage.hourly(series, now - HOUR - HOUR, now + HOUR)
    sums = [(hour.start, hour.tally.requests, hour.tally.last_at) for hour in hours]
    told = repr((newest(account_id, client_id), sums))
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def newest(account_id: int, client_id: int | None) -> int | None:
    """The largest number of the account's requests or the client's, by key alone."""
    query = select(Row.id).where(Row.account_id == account_id)
    if client_id is not None:
        query = select(Row.id).where(
            Row.llm_client_id == client_id, Row.account_id + 0 == account_id
        )
    return db.session.scalar(query.order_by(Row.id.desc()).limit(1))


def live(
    address: Address, rows: Sequence[Any], since: int | None, now: datetime, zone: ZoneInfo
) -> Live:
    """What the list has beside its rows while it is live; `since` is the newest that was shown."""
    first = rows[0].id if rows else since or 0
    url = url_for("request_history.tail_part", **address.query(), since=str(max(first, since or 0)))
    if since is None:
        return Live(url)
    count = sum(row.id > since for row in rows)
    if not count:
        return Live(url)
    amount = f"{number(count)} or more" if count >= PAGE_SIZE else number(count)
    return Live(url, f"{amount} new at {now.astimezone(zone):%H:%M:%S}")
