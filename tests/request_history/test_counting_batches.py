"""Sums of whole batches are those that counting row by row would give, whatever a batch holds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from portal.database import db, reading, utc_now
from portal.history_keeping import rebuilding
from portal.llm_clients.models import LLMClient
from portal.request_history import storing
from portal.request_history.models import RequestBody
from portal.request_history.recording import Recorder
from portal.request_history.storing import Visit, whole
from portal.usage import histograms
from portal.usage.counting import ROLLUPS
from portal.usage.queries import tally_of
from portal.usage.tallies import hour_of
from tests.people import MakeClient
from tests.planes import Planes

CAUSES = {200: "", 429: "rate_limited", 499: "visitor_left", 502: "provider_error"}


@pytest.fixture
def engine(planes: Planes, make_client: MakeClient) -> Engine:
    make_client()
    with planes.worker.app_context():
        return db.engine


@pytest.fixture
def common(engine: Engine, planes: Planes) -> dict[str, Any]:
    with planes.worker.app_context():
        llm_client = db.session.scalars(select(LLMClient)).one()
        return {"llm_client_id": llm_client.id, "account_id": llm_client.account_id}


def asked(common: dict[str, Any], name: str, at: datetime, chance: random.Random) -> dict[str, Any]:
    status = chance.choice(list(CAUSES))
    return {
        **common,
        "request_id": name,
        "created_at": at,
        "status": status,
        "error_code": CAUSES[status],
        "mode": chance.choice(["default", "sandbox"]),
        "provider": "demo",
        "model": chance.choice("abc"),
        "latency_ms": chance.choice([None, 0, 7, 900, 70_000, 10**8]),
        "first_token_ms": chance.choice([None, 3, 250]),
        "tokens_in": chance.randrange(2_000_000_000),
        "cost_micros": chance.choice([None, 10**12]),
        "request": {"message": name},
    }


def batches(common: dict[str, Any], latest: datetime) -> Iterator[list[tuple[Any, Visit]]]:
    """Of one row, of many, with the same series twice, and of hours that others are done with."""
    chance = random.Random(7)  # noqa: S311
    for number, size in enumerate((1, 2, 60, 1, 200)):
        hours = chance.choices((0, 1, 30), k=size)
        rows = [
            asked(
                common, f"{number}-{place}", latest - timedelta(hours=hour, seconds=place), chance
            )
            for place, hour in enumerate(hours)
        ]
        yield [(whole(row), Visit(f"{row['request_id'][-1] * 64}")) for row in rows]


def test_batches_of_every_size_add_up_to_what_their_rows_say(
    engine: Engine, common: dict[str, Any]
) -> None:
    latest = utc_now()
    hours: set[int] = set()
    for told in batches(common, latest):
        with engine.begin() as connection:
            storing.insert(connection, told)
        hours |= {hour_of(row["created_at"]) for row, _ in told}
    assert len(hours) >= 3
    with reading(), engine.connect() as connection:
        for hour in hours:
            expected, _ = rebuilding.counted(connection, common["account_id"], hour)
            rows = connection.execute(select(ROLLUPS).where(ROLLUPS.c.hour == hour))
            found = {(hour, row.series_id): tally_of(row) for row in rows}
            for tally in (*expected.values(), *found.values()):
                tally.sessions = 0  # sessions of this test lie across its hours
            assert found == expected


def test_writers_who_begin_an_hour_at_once_lose_nothing(
    engine: Engine, common: dict[str, Any]
) -> None:
    """As two processes do it, with the same series in other orders."""
    at, chance = utc_now(), random.Random(3)  # noqa: S311
    recorders = [Recorder(lambda: engine) for _ in range(2)]
    rows = [asked(common, str(number), at, chance) for number in range(40)]
    with ThreadPoolExecutor(20) as pool:
        done = [
            pool.submit(recorders[place % 2].record, row, Visit(f"{place % 7}" * 64))
            for place, row in enumerate(rows)
        ]
        for one in done:
            one.result(20)
    with reading(), engine.connect() as connection:
        hour = hour_of(at)
        expected, _ = rebuilding.counted(connection, common["account_id"], hour)
        stored = connection.execute(select(ROLLUPS).where(ROLLUPS.c.hour == hour))
        found = {(hour, row.series_id): tally_of(row).requests for row in stored}
    assert found == {key: tally.requests for key, tally in expected.items()}
    assert sum(found.values()) == 4 * len(rows)


def test_what_was_said_reads_as_it_was_told(engine: Engine, common: dict[str, Any]) -> None:
    at, said = utc_now(), {"message": "ä\"'\\%s ?", "more": [1, None, {}]}
    for request_id, response in (("with", said), ("without", None)):
        row = {"request": said, "response": response, "status": 200}
        told = whole({**common, **row, "request_id": request_id, "created_at": at})
        with engine.begin() as connection:
            storing.insert(connection, [(told, None)])
    with reading(), engine.connect() as connection:
        bodies = list(connection.execute(select(RequestBody.request, RequestBody.response)))
    assert sorted(map(str, bodies)) == sorted(map(str, [(said, said), (said, None)]))


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("stored", "more"),
    [
        ({}, {}),
        ({}, {7: 1}),
        ({7: 1, 200: 3}, {}),
        ({7: 1, 200: 3}, {7: 2}),
        ({7: 1, 200: 3}, {200: 70_000, 7: 1}),
        ({7: 1, 200: 3}, {0: 1, 7: 1, 255: 2}),
        ({7: histograms.MOST}, {7: 1}),
    ],
)
def test_adding_to_a_packed_histogram_is_adding(
    stored: dict[int, int], more: dict[int, int]
) -> None:
    expected = dict(stored)
    histograms.add(expected, more)
    assert histograms.packed_with(histograms.packed(stored), more) == histograms.packed(expected)


@pytest.mark.engine_independent
def test_an_incomplete_end_of_a_histogram_is_left_out() -> None:
    whole_one = histograms.packed({7: 1, 9: 2})
    assert histograms.packed_with(whole_one[:-1], {7: 1}) == histograms.packed({7: 2})


@pytest.mark.engine_independent
def test_histograms_one_after_the_other_add_up_however_often_they_are_looked_at() -> None:
    first, second = {7: 1, 200: 3}, {7: histograms.MOST, 9: 2}
    stored = histograms.packed(first) + histograms.packed(second)
    expected = {7: histograms.MOST + 1, 9: 2, 200: 3}
    for _ in range(2):
        found = histograms.added_up(stored)
        assert found == expected
        histograms.add(found, {7: 1})
    assert histograms.added_up(b"") == {}
