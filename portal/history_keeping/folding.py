"""Folding requests that are older than their account keeps them into a day's sums of each client.

The sums are a row of the history themselves, with `is_aggregation`; its request JSON holds them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from portal.history_keeping.removing import BATCH, BODIES, ROWS, remove_rows
from portal.request_history import numbering
from portal.usage.tallies import outcome_of

SUMS = ("answered", "refused", "cancelled", "failed", "tokens_in", "tokens_out")
MEASURES = (*SUMS, "cost_micros", "latency_ms")
Key = tuple[date, int | None]


def fold_some(connection: Connection, account_id: int, zone: ZoneInfo, until: datetime) -> int:
    """Fold the oldest requests from before `until`, at most 200; how many those were."""
    rows = connection.execute(
        _OLDEST,
        {
            "account_id": account_id,
            "first": numbering.FIRST_REQUEST,
            "last": numbering.first_of(until),
        },
    ).all()
    days: defaultdict[Key, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        days[row.created_at.astimezone(zone).date(), row.llm_client_id].append(row)
    for (day, client_id), found in sorted(days.items(), key=str):
        _add(connection, account_id, day, client_id, found, zone)
    if rows:
        remove_rows(connection, [row.id for row in rows])
    return len(rows)


def _add(
    connection: Connection,
    account_id: int,
    day: date,
    client_id: int | None,
    found: Sequence[Row[Any]],
    zone: ZoneInfo,
) -> None:
    start = datetime.combine(day, time(), zone)
    number = numbering.of_day(start, client_id or 0)
    stored = connection.execute(_SUMS, {"id": number}).scalar_one_or_none()
    if stored is None:
        sums = summed({}, found)
        sums |= {"from": start.isoformat(), "to": _next(day, zone).isoformat()}
        connection.execute(insert(ROWS), _row(number, account_id, client_id, found[-1], start))
        connection.execute(
            insert(BODIES),
            {"id": number, "account_id": account_id, "request": sums, "response": None},
        )
    else:
        connection.execute(_STORE, {"day_id": number, "sums": summed(stored, found)})


def _next(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), zone)


def summed(stored: Mapping[str, Any], found: Sequence[Row[Any]]) -> dict[str, Any]:
    """Sums with these requests added: by outcome and cause; tokens, micro-units, milliseconds."""
    sums = {**stored}
    causes: dict[str, int] = {**sums.get("causes", {})}
    for name in ("requests", *MEASURES):
        sums.setdefault(name, 0)
    for row in found:
        sums["requests"] += 1
        sums[outcome_of(row.status)] += 1
        for name in ("tokens_in", "tokens_out", "cost_micros", "latency_ms"):
            sums[name] += getattr(row, name) or 0
        if row.error_code:
            causes[row.error_code] = causes.get(row.error_code, 0) + 1
    return {**sums, "causes": causes}


def _row(
    number: int, account_id: int, client_id: int | None, last: Row[Any], start: datetime
) -> dict[str, Any]:
    return {
        "id": number,
        "account_id": account_id,
        "llm_client_id": client_id,
        "llm_client_name": last.llm_client_name,
        "created_at": start,
        "updated_at": start,
        "is_aggregation": True,
    }


_OLDEST = (
    select(
        ROWS.c.id,
        ROWS.c.created_at,
        ROWS.c.llm_client_id,
        ROWS.c.llm_client_name,
        ROWS.c.status,
        ROWS.c.error_code,
        *(ROWS.c[name] for name in ("tokens_in", "tokens_out", "cost_micros", "latency_ms")),
    )
    .where(
        ROWS.c.account_id == bindparam("account_id"),
        ROWS.c.id >= bindparam("first"),
        ROWS.c.id < bindparam("last"),
    )
    .order_by(ROWS.c.id)
    .limit(BATCH)
)
_SUMS = select(BODIES.c.request).where(BODIES.c.id == bindparam("id")).with_for_update()
_STORE = update(BODIES).where(BODIES.c.id == bindparam("day_id")).values(request=bindparam("sums"))
