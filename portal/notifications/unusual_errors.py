"""Clients that fail far more often than usual, found in the hourly sums.

The rule. In one clock hour (UTC), as far as it has come, a client was asked at least 20 times and
failed at least 5 times and in at least a tenth of all; and that share is at least three times its
usual one, which is that of all its requests in the 168 hours before (none, where it was not asked
in them). `Failed` are answers with a status of 500 and more: refusals, visitors who left and the
sandbox do not count. A client is told of once in six hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, func, select

from portal.accounts.models import Account
from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.notices.kinds import Kind, Level
from portal.notices.models import Notice
from portal.notices.telling import News, tell
from portal.usage.models import RequestRollup, UsageSeries
from portal.usage.queries import REQUESTS
from portal.usage.series import SANDBOX, Grain
from portal.usage.tallies import EPOCH, hour_of

LEAST_REQUESTS, LEAST_FAILED, ONE_OF = 20, 5, 10
TIMES_USUAL = 3
USUAL_HOURS = 168
PAUSE = timedelta(hours=6)
# So that the end of an hour is looked at too, by the first round of the next.
LATE = timedelta(minutes=5)
MOST_AT_ONCE = 200


@dataclass(frozen=True)
class Share:
    """How many of how many failed."""

    failed: int
    requests: int

    @property
    def value(self) -> float:
        return self.failed / self.requests if self.requests else 0.0

    @property
    def words(self) -> str:
        """`28%`, `0.4%`."""
        percent = 100 * self.value
        return f"{percent:.0f}%" if percent >= 10 or percent == 0 else f"{percent:.1f}%"


def is_unusual(hour: Share, usual: Share) -> bool:
    """The rule above."""
    if hour.requests < LEAST_REQUESTS or hour.failed < LEAST_FAILED:
        return False
    is_much = hour.failed * ONE_OF >= hour.requests
    return is_much and hour.failed * usual.requests >= TIMES_USUAL * usual.failed * hour.requests


def look(now: datetime) -> bool:
    """One round: the hour of five minutes ago, of all clients; commits for each that is told of."""
    hour = hour_of(now - LATE)
    for row in db.session.execute(_suspects(hour)).all():
        found = Share(row.failed, row.requests)
        usual = _usual(row.id, hour)
        llm_client = db.session.get(LLMClient, row.llm_client_id)
        if llm_client is not None and is_unusual(found, usual) and not _told_lately(row, now):
            tell(row.account_id, _news(llm_client, found, usual, hour, dict(row.causes)), now)
            db.session.commit()
    db.session.rollback()
    return True


def _suspects(hour: int) -> Select[Any]:
    """Series of clients that failed much in an hour: a look at one row for each series."""
    return (
        select(
            UsageSeries.id,
            UsageSeries.account_id,
            UsageSeries.llm_client_id,
            RequestRollup.failed,
            RequestRollup.causes,
            REQUESTS.label("requests"),
        )
        .join_from(UsageSeries, RequestRollup, RequestRollup.series_id == UsageSeries.id)
        .where(UsageSeries.grain == Grain.CLIENT, UsageSeries.mode != SANDBOX)
        .where(RequestRollup.hour == hour, RequestRollup.failed >= LEAST_FAILED)
        .where(REQUESTS >= LEAST_REQUESTS)
        .order_by(UsageSeries.id)
        .limit(MOST_AT_ONCE)
    )


def _usual(series_id: int, hour: int) -> Share:
    query = select(func.sum(RequestRollup.failed), func.sum(REQUESTS)).where(
        RequestRollup.series_id == series_id,
        RequestRollup.hour >= hour - USUAL_HOURS,
        RequestRollup.hour < hour,
    )
    failed, requests = db.session.execute(query).one()
    return Share(int(failed or 0), int(requests or 0))


def _key(llm_client_id: int) -> str:
    return f"errors/{llm_client_id}"


def _told_lately(row: Row[Any], now: datetime) -> bool:
    query = select(Notice.id).where(
        Notice.account_id == row.account_id,
        Notice.damping_key == _key(row.llm_client_id),
        Notice.created_at > now - PAUSE,
    )
    return db.session.scalar(query.limit(1)) is not None


def _news(
    llm_client: LLMClient, found: Share, usual: Share, hour: int, causes: dict[str, int]
) -> News:
    account = db.session.get_one(Account, llm_client.account_id)
    start = (EPOCH + timedelta(hours=hour)).astimezone(ZoneInfo(account.timezone))
    before = f"In the week before it was {usual.words}." if usual.requests else "It is new."
    sentences = [
        f"{found.failed} of the {found.requests} requests to {llm_client.name} since "
        f"{start:%H:%M} ({account.timezone}) failed: {found.words}. {before}"
    ]
    if causes:
        code, count = max(causes.items(), key=lambda pair: (pair[1], pair[0]))
        sentences.append(f"Most often: {code.replace('_', ' ')}, {count} times.")
    return News(
        kind=Kind.ERRORS_UNUSUAL,
        level=Level.BAD,
        subject=f"{llm_client.name} fails far more often than usual",
        text="\n".join(sentences),
        path=f"/llm-clients/{llm_client.hashed_id}/usage",
        about=llm_client,
        name=llm_client.name,
        damping_key=_key(llm_client.id),
        once_key=f"errors/{llm_client.id}/{hour}",
    )
