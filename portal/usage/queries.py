"""Reading the sums; every query starts from the account or from clients already found."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Select, func, select

from portal.database import db
from portal.usage import histograms
from portal.usage.counting import MEASURES
from portal.usage.models import RequestRollup, UsageSeries
from portal.usage.series import CUSTOM, Grain, Series, of_account, of_client
from portal.usage.tallies import EPOCH, NUMBERS, Tally, hour_of

REQUESTS = (
    RequestRollup.answered + RequestRollup.refused + RequestRollup.cancelled + RequestRollup.failed
)


@dataclass(frozen=True)
class ClientUse:
    """How much a client was used lately, and when last (sandbox left out)."""

    requests: int
    last_at: datetime | None


def of_clients(account_id: int, client_ids: list[int], since: datetime) -> dict[int, ClientUse]:
    """Requests since a time, and the last one ever, of each client that had any."""
    numbers = {of_client(account_id, client_id).id: client_id for client_id in client_ids}
    total = select(func.sum(REQUESTS)).where(
        RequestRollup.series_id == UsageSeries.id, RequestRollup.hour >= hour_of(since)
    )
    query = select(UsageSeries.id, total.scalar_subquery(), _newest()).where(
        UsageSeries.id.in_(numbers)
    )
    return {
        numbers[number]: ClientUse(int(requests or 0), last_at)
        for number, requests, last_at in db.session.execute(query)
    }


def _newest() -> ScalarSelect[datetime]:
    """When a series was last counted in."""
    return (
        select(RequestRollup.last_at)
        .where(RequestRollup.series_id == UsageSeries.id)
        .order_by(RequestRollup.hour.desc())
        .limit(1)
        .scalar_subquery()
    )


def last_request(numbers: Collection[int] | Select[tuple[int]]) -> datetime | None:
    """When any of these series was last counted in; None for never."""
    found = db.session.scalars(select(_newest()).where(UsageSeries.id.in_(numbers)))
    return max((moment for moment in found if moment is not None), default=None)


def last_custom_requests(client_ids: list[int]) -> dict[int, datetime]:
    """When a visitor last asked each client something on its customer's domain."""
    query = select(UsageSeries.llm_client_id, _newest()).where(
        UsageSeries.llm_client_id.in_(client_ids),
        UsageSeries.grain == Grain.PART,
        UsageSeries.mode == CUSTOM,
    )
    newest: dict[int, datetime] = {}
    for client_id, last_at in db.session.execute(query):
        if client_id is not None and last_at is not None:
            newest[client_id] = max(newest.get(client_id, last_at), last_at)
    return newest


def sandbox_prompts(account_id: int, client_id: int) -> int:
    """How often a client was asked in the sandbox."""
    number = of_client(account_id, client_id, sandbox=True).id
    query = select(func.sum(REQUESTS)).where(RequestRollup.series_id == number)
    return int(db.session.scalar(query) or 0)


def used_since(
    connection: Connection, account_id: int, kind: str, subject_id: int, since: datetime
) -> tuple[int, int]:
    """Tokens and cost (micro-units) of an account or a client since a full hour.

    The sandbox counts for the account only; other kinds of subjects have no hourly sums: (0, 0).
    """
    if kind == "account":
        series = [of_account(subject_id), of_account(subject_id, sandbox=True)]
    elif kind == "client":
        series = [of_client(account_id, subject_id)]
    else:
        return 0, 0
    query = select(
        func.sum(RequestRollup.tokens_in + RequestRollup.tokens_out),
        func.sum(RequestRollup.cost_micros),
    ).where(
        RequestRollup.series_id.in_([one.id for one in series]),
        RequestRollup.hour >= hour_of(since),
    )
    found = connection.execute(query).one()
    return int(found[0] or 0), int(found[1] or 0)


@dataclass(frozen=True)
class Hour:
    """The sums of an hour; `start` is a full hour."""

    start: datetime
    tally: Tally


def hourly(series: Collection[Series], start: datetime, end: datetime) -> list[Hour]:
    """The hours that begin from `start` until before `end` in which anything was asked, in order.

    Of several series the hours are added up.
    """
    query = (
        select(RequestRollup.hour, *(getattr(RequestRollup, name) for name in MEASURES))
        .where(RequestRollup.series_id.in_([one.id for one in series]), *_between(start, end))
        .order_by(RequestRollup.hour)
    )
    hours: dict[int, Tally] = {}
    for row in db.session.execute(query):
        if row.hour in hours:
            hours[row.hour].add(tally_of(row))
        else:
            hours[row.hour] = tally_of(row)
    return [Hour(EPOCH + timedelta(hours=hour), tally) for hour, tally in hours.items()]


def tally_of(row: Row[Any]) -> Tally:
    """A stored row's sums."""
    return Tally(
        **{name: getattr(row, name) for name in NUMBERS},
        last_at=row.last_at,
        causes=dict(row.causes),
        latencies=histograms.unpacked(row.latencies),
        first_tokens=histograms.unpacked(row.first_tokens),
    )


def _between(start: datetime, end: datetime) -> tuple[ColumnElement[bool], ...]:
    first = hour_of(start + timedelta(hours=1) - timedelta(microseconds=1))
    last = hour_of(end + timedelta(hours=1) - timedelta(microseconds=1))
    return RequestRollup.hour >= first, RequestRollup.hour < last


def parts_of_account(account_id: int, provider: str = "") -> list[Series]:
    """By provider, model and mode, all that there ever were; of one provider, if one is named."""
    query = select(UsageSeries).where(
        UsageSeries.account_id == account_id, UsageSeries.grain == Grain.MODEL
    )
    if provider:
        query = query.where(UsageSeries.provider == provider)
    return [_series(found) for found in db.session.scalars(query)]


def parts_of_client(account_id: int, client_id: int) -> list[Series]:
    """By revision, provider, model, key and mode, all that there ever were."""
    query = select(UsageSeries).where(
        UsageSeries.account_id == account_id,
        UsageSeries.llm_client_id == client_id,
        UsageSeries.grain == Grain.PART,
    )
    return [_series(found) for found in db.session.scalars(query)]


def _series(found: UsageSeries) -> Series:
    return Series(
        found.account_id,
        found.grain,
        found.llm_client_id or 0,
        found.provider,
        found.model,
        found.revision_number,
        found.api_key_id,
        found.mode,
    )


def requests_by_series(
    series: Collection[Series], start: datetime, end: datetime
) -> dict[Series, Tally]:
    """How often each series was counted in, by outcome; for the numbers beside filters."""
    numbers = {one.id: one for one in series}
    names = ("answered", "refused", "cancelled", "failed")
    query = (
        select(RequestRollup.series_id, *(func.sum(getattr(RequestRollup, name)) for name in names))
        .where(RequestRollup.series_id.in_(numbers), *_between(start, end))
        .group_by(RequestRollup.series_id)
    )
    return {
        numbers[number]: Tally(**dict(zip(names, map(int, values), strict=True)))
        for number, *values in db.session.execute(query)
    }


def counted_parts(
    account_id: int, client_id: Any, start: datetime, end: datetime
) -> Select[tuple[str, str, str, int, int, int]]:
    """Provider, model, mode, revision, key and number of requests of each part; a statement.

    Of a client, whose id may be a subquery; of the whole account without one.
    """
    requests = select(func.sum(REQUESTS)).where(
        RequestRollup.series_id == UsageSeries.id, *_between(start, end)
    )
    query = select(
        UsageSeries.provider,
        UsageSeries.model,
        UsageSeries.mode,
        UsageSeries.revision_number,
        UsageSeries.api_key_id,
        func.coalesce(requests.scalar_subquery(), 0).label("requests"),
    ).where(UsageSeries.account_id == account_id)
    if client_id is None:
        return query.where(UsageSeries.grain == Grain.MODEL)
    return query.where(UsageSeries.grain == Grain.PART, UsageSeries.llm_client_id == client_id)
