"""Hourly sums and rows tell the same numbers, whichever a range is drawn from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from portal.database import db
from portal.overview import figures, last_rows
from portal.overview.hours import standing_out
from portal.request_history import ranges
from portal.usage import queries as usage
from portal.usage import summing
from portal.usage.models import RequestRollup, UsageSeries
from portal.usage.series import of_account
from portal.usage.summing import Counts
from portal.usage.tallies import OUTCOMES, Tally
from portal.vault.models import AuthToken
from tests.overview.conftest import Write, scope_of
from tests.people import MakeClient, People
from tests.planes import Planes

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 10, 25, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
KINDS = [
    {"status": 200, "latency_ms": 900, "first_token_ms": 150, "tokens_in": 10, "tokens_out": 7},
    {"status": 502, "latency_ms": 30_000, "error_code": "timeout", "model": "big"},
    {"status": 429, "error_code": "budget_reached", "mode": "custom"},
    {"status": 499, "latency_ms": 12, "error_code": "visitor_left", "revision_number": 2},
    {"status": 200, "latency_ms": 4100, "cost_micros": 4_200, "provider": "own", "model": "big"},
    {"status": 200, "latency_ms": 70, "mode": "sandbox", "tokens_in": 5000},
]


@pytest.fixture
def asked(make_client: MakeClient, write: Write) -> str:
    """A client that was asked in two hours, in every way there is; another was asked beside it."""
    hashed_id, other = make_client(), make_client("other")
    for index, columns in enumerate(KINDS * 4):
        at = NOON - 2 * HOUR + index * 4 * MINUTE
        write(hashed_id, at, session=f"s{index // 3}", **columns)
    write(other, NOON - MINUTE, latency_ms=5)
    write(other, NOON, latency_ms=6)
    return hashed_id


@pytest.mark.parametrize("whose", ["account", "client", "provider"])
def test_rows_and_sums_agree(whose: str, asked: str, planes: Planes, people: People) -> None:
    typed = {"from": "2026-10-25T10:00Z", "to": "2026-10-25T12:00Z"}
    span = ranges.parse(typed, BERLIN, NOON)
    assert span.by_the_minute
    with planes.worker.app_context():
        scope = scope_of(
            people, asked if whose == "client" else "", {"provider": "own"}.get(whose, "")
        )
        by_rows = figures.of(scope, span)
        (by_sums,) = summing.by_stretch(scope.numbers, (span.start, span.end))
        assert by_rows.total == by_sums
        assert by_rows.total.requests == {"account": 21, "client": 20, "provider": 4}[whose]
        if scope.parts is not None:
            parts = summing.by_part(scope.parts, span.start, span.end)
            assert by_rows.parts.tallies == parts.tallies
            assert sum(part.requests for part in parts.tallies.values()) == by_sums.requests


def test_outcomes_alone_agree_with_the_whole_sums(
    asked: str, planes: Planes, people: People
) -> None:
    borders = [NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - HOUR, NOON, NOON + HOUR]
    with planes.worker.app_context():
        numbers = scope_of(people, asked).numbers
        whole = summing.by_stretch(numbers, borders)
        outcomes = summing.outcomes_by_stretch(numbers, borders)
    assert sum(tally.requests for tally in whole) == 20
    for name in OUTCOMES:
        told = [getattr(tally, name) for tally in outcomes]
        assert told == [getattr(tally, name) for tally in whole]


@pytest.mark.parametrize("sum_up", [summing.by_stretch, summing.outcomes_by_stretch])
def test_sums_are_read_by_their_key_alone(
    sum_up: Callable[..., Any], asked: str, planes: Planes, people: People
) -> None:
    """A page costs what its range has, however long the account was asked."""
    borders = [NOON - 30 * DAY + day * DAY for day in range(31)]
    with planes.worker.app_context():
        numbers = scope_of(people, asked).numbers
        is_sqlite = db.engine.dialect.name == "sqlite"
        plan = plan_while(lambda: sum_up(numbers, borders))
    assert (BY_KEY if is_sqlite else "request_rollups_") in plan, plan
    assert "SCAN request_rollups" not in plan
    assert "Seq Scan on request_rollups" not in plan


def test_how_often_was_asked_is_in_the_index_alone(
    asked: str, planes: Planes, people: People
) -> None:
    """On PostgreSQL the rows of a series lie apart: a page of the table for each hour."""
    with planes.worker.app_context():
        account_id, numbers = people.alice.account_id, scope_of(people, asked).numbers
        parts = usage.counted_parts(account_id, None, NOON - 90 * DAY, NOON)
        borders = [NOON - 90 * DAY, NOON]
        is_sqlite = db.engine.dialect.name == "sqlite"
        if not is_sqlite:
            rows = [(number, hour) for number in range(900_000, 900_040) for hour in range(200)]
            for number in range(900_000, 900_040):
                db.session.add(UsageSeries(id=number, account_id=account_id, grain="part"))
            db.session.flush()
            db.session.execute(
                RequestRollup.__table__.insert(),
                [{"series_id": one, "hour": hour, "last_at": NOON} for one, hour in rows],
            )
            db.session.execute(db.text("ANALYZE request_rollups"))
        for act in (
            lambda: db.session.execute(parts).all(),
            lambda: summing.outcomes_by_stretch(numbers, borders),
        ):
            plan = plan_while(act)
            only = "Index Only Scan using ix_request_rollups_outcomes"
            assert (BY_KEY if is_sqlite else only) in plan, plan
        db.session.rollback()


BY_KEY = "USING PRIMARY KEY (series_id=? AND hour>? AND hour<?)"


def plan_while(act: Callable[[], Any]) -> str:
    """The plan of the one query of hourly sums that something asks."""
    statements: list[tuple[str, Any]] = []
    note = lambda *given: statements.append((given[2], given[3]))  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", note)
    act()
    event.remove(db.engine, "before_cursor_execute", note)
    [(sql, values)] = [one for one in statements if "request_rollups" in one[0]]
    connection = db.session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    return "\n".join(str(row) for row in connection.exec_driver_sql(explain + sql, values))


def test_sessions_begin_once(asked: str, planes: Planes, people: People) -> None:
    typed = {"from": "2026-10-25T10:00Z", "to": "2026-10-25T12:00Z"}
    with planes.worker.app_context():
        found = figures.of(scope_of(people, asked), ranges.parse(typed, BERLIN, NOON))
    assert found.total.sessions == 8


def test_a_day_of_25_hours_has_all_of_them(
    planes: Planes, people: People, make_client: MakeClient, write: Write
) -> None:
    """Berlin's clocks go back on 25 October 2026; each hour from the 24th on is asked once."""
    hashed_id = make_client()
    first = datetime(2026, 10, 23, 22, tzinfo=UTC)
    for index in range(24 + 25 + 24):
        write(hashed_id, first + index * HOUR, latency_ms=100 + index)
    typed = {"from": "2026-10-24", "to": "2026-10-26"}
    span = ranges.parse(typed, BERLIN, datetime(2026, 10, 27, tzinfo=UTC))
    with planes.worker.app_context():
        scope = scope_of(people)
        found = figures.of(scope, span)
        day = ranges.parse({"from": "2026-10-25", "to": "2026-10-25"}, BERLIN, span.end)
        one = figures.of(scope, day)
        hours = usage.hourly([of_account(scope.account.id)], span.start, span.end)
    assert found.total.requests == 73
    stretches = pairwise(span.borders())
    assert list(found.now) == [_sum_between(hours, *stretch) for stretch in stretches]
    assert (len(one.now), one.total.requests, one.total_before.requests) == (25, 25, 24)


def _sum_between(hours: list[usage.Hour], start: datetime, end: datetime) -> Tally:
    together = Tally()
    for hour in hours:
        if start <= hour.start < end:
            together.add(hour.tally)
    return together


def test_the_time_before_is_as_long_and_ends_where_the_range_begins(
    asked: str, planes: Planes, people: People
) -> None:
    with planes.worker.app_context():
        scope = scope_of(people)
        found = figures.of(scope, ranges.named("1h", BERLIN, NOON - MINUTE))
    assert len(found.now) == len(found.before) == 12
    assert found.total.requests + found.total_before.requests == 21
    assert found.total_before.requests == 13


def test_what_nobody_asked_is_nothing(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        scope = scope_of(people, provider="own")
        for name in ranges.NAMES:
            found = figures.of(scope, ranges.named(name, BERLIN, NOON))
            assert (found.total, found.total_before) == (Tally(), Tally())


def test_only_so_many_rows_are_read_and_that_is_told(
    asked: str, planes: Planes, people: People
) -> None:
    with planes.worker.app_context():
        scope = scope_of(people, asked)
        found = last_rows.counted(scope, NOON - 2 * HOUR, NOON, most=3)
        every = last_rows.counted(scope, NOON - 2 * HOUR, NOON, most=24)
    assert (len(found.rows), found.is_cut) == (2, True)  # the newest of the three is the sandbox's
    assert (len(every.rows), every.is_cut) == (20, False)


def test_names_of_keys_come_with_the_parts(
    planes: Planes, people: People, make_client: MakeClient, write: Write
) -> None:
    hashed_id = make_client()
    with planes.worker.app_context():
        key = AuthToken(
            account_id=people.alice.account_id, prefix="portal_a", secret_hash="h", name="Shop"
        )
        db.session.add(key)
        db.session.commit()
        key_id = key.id
    write(hashed_id, NOON - 5 * MINUTE, api_key_id=key_id)
    write(hashed_id, NOON - 4 * MINUTE, api_key_id=987_654)
    with planes.worker.app_context():
        scope = scope_of(people, hashed_id)
        for name in ("1h", "24h"):
            found = figures.of(scope, ranges.named(name, BERLIN, NOON))
            assert found.parts.key_names == {key_id: "Shop"}
            assert {part.api_key_id for part in found.parts.tallies} == {key_id, 987_654}


def test_an_hour_stands_out_by_its_numbers() -> None:
    hours = [
        Counts(NOON, 40, 40, 40_000),
        Counts(NOON + HOUR, 10, 4, 90_000),
        Counts(NOON + 2 * HOUR, 8, 8, 800),
        Counts(NOON + 3 * HOUR, 1, 0, 99_000),
    ]
    found = {label: hour.start for label, hour in standing_out(hours)}
    assert found == {
        "Most requests": NOON,
        "Most without an answer": NOON + HOUR,
        "Slowest answers": NOON + HOUR,
        "Quickest answers": NOON + 2 * HOUR,
    }
    assert standing_out(hours[3:]) == []


def test_hours_are_listed_in_order(asked: str, planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        number = of_account(people.alice.account_id).id
        found = summing.counts(number, NOON - 5 * HOUR, NOON)
    assert [hour.start for hour in found] == [NOON - 2 * HOUR, NOON - HOUR]
    assert all(earlier.requests for earlier, _ in pairwise(found))
