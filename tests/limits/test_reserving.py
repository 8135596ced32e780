"""Reserving and settling in the tables: what is written, when, and how often."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from portal.database import db, declare_writes, utc_now
from portal.limits import jobs, reserving
from portal.limits.budgets import DAY, MONTH, Amount, Budget
from portal.limits.models import BudgetReservation, BudgetUse
from portal.limits.reserving import LONGEST_PROMPT
from portal.limits.wishes import Settlement, Wish
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests
from portal.request_history.recording import NotRecorded, Recorder
from portal.request_history.storing import Visit
from tests.limits.conftest import Sums
from tests.people import MakeClient, People
from tests.planes import Planes

NOTHING = Amount(0, 0)
VISIT = Visit("a" * 64)
_numbers = itertools.count(1)

MakeWish = Callable[..., Wish]


@pytest.fixture
def engine(planes: Planes) -> Engine:
    with planes.worker.app_context():
        return db.engine


@pytest.fixture
def wish_for(people: People) -> MakeWish:
    """A wish of so many tokens (and money), of budgets of so many."""

    def make(
        tokens: int,
        *budgets: Budget,
        micros: int = 0,
        asked_at: datetime | None = None,
        **fields: Any,
    ) -> Wish:
        return Wish(
            request_id=f"r{next(_numbers)}",
            account_id=people.alice.account_id,
            timezone="Europe/Berlin",
            budgets=budgets or (of_client(100),),
            amount=Amount(tokens, micros),
            asked_at=asked_at or utc_now(),
            **fields,
        )

    return make


@pytest.fixture
def row(planes: Planes, make_client: MakeClient) -> Callable[..., dict[str, Any]]:
    """Columns of a request to the one client."""
    make_client()
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        common = {"llm_client_id": llm_client.id, "account_id": llm_client.account_id}

    def make(request_id: str, **columns: Any) -> dict[str, Any]:
        told = {"created_at": utc_now(), "request_id": request_id, "request": {}, "status": 200}
        return {**common, **told, "mode": "default", **columns}

    return make


def of_client(tokens: int | None = None, micros: int | None = None, period: str = DAY) -> Budget:
    return Budget("client", 1, period, tokens, micros)


def write(engine: Engine, *wishes: Wish, settled: tuple[Settlement, ...] = ()) -> None:
    with engine.begin() as connection:
        reserving.write(connection, wishes, settled, utc_now())


def settle(engine: Engine, tokens: int, *wishes: Wish, micros: int = 0) -> None:
    write(engine, settled=(Settlement(wishes, Amount(tokens, micros)),))


def test_a_granted_wish_is_reserved_and_its_settlement_takes_its_place(
    engine: Engine, wish_for: MakeWish, sums: Sums
) -> None:
    wish = wish_for(60)
    write(engine, wish)
    assert wish.reached is None
    assert wish.uses == (sums.of("client").id,)
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (0, 60)
    assert [one.request_id for one in sums.reservations] == [wish.request_id]
    settle(engine, 25, wish)
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (25, 0)
    assert sums.reservations == []


def test_what_was_not_used_is_free_again(engine: Engine, wish_for: MakeWish, sums: Sums) -> None:
    first, second, third = wish_for(60), wish_for(60), wish_for(60)
    write(engine, first, second)
    assert first.reached is None
    assert second.reached == of_client(100)
    settle(engine, 40, first)
    write(engine, third)
    assert third.reached is None
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (40, 60)


def test_a_refused_wish_reserves_nothing(engine: Engine, wish_for: MakeWish, sums: Sums) -> None:
    refused = wish_for(101)
    write(engine, refused)
    assert refused.reached == of_client(100)
    assert refused.uses == ()
    assert sums.of("client").reserved_tokens == 0
    assert sums.reservations == []


def test_wishes_of_one_batch_are_decided_in_their_turn(engine: Engine, wish_for: MakeWish) -> None:
    wishes = [wish_for(30) for _ in range(5)]
    write(engine, *wishes)
    assert [wish.reached is None for wish in wishes] == [True, True, True, False, False]


def test_a_small_wish_passes_after_a_large_one_was_refused(
    engine: Engine, wish_for: MakeWish
) -> None:
    large, small = wish_for(101), wish_for(100)
    write(engine, large, small)
    assert large.reached is not None
    assert small.reached is None


def test_a_settlement_makes_room_for_the_wishes_of_its_batch(
    engine: Engine, wish_for: MakeWish, sums: Sums
) -> None:
    first, second = wish_for(100), wish_for(90)
    write(engine, first)
    write(engine, second, settled=(Settlement((first,), Amount(10, 0)),))
    assert second.reached is None
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (10, 90)


def test_several_budgets_at_once_are_held_and_the_scarcest_decides(
    engine: Engine, wish_for: MakeWish, sums: Sums
) -> None:
    client, month = of_client(1_000), of_client(2_000, period=MONTH)
    key, account = Budget("key", 1, DAY, 150, None), Budget("account", 1, DAY, None, 500)
    budgets = (client, month, key, account)
    first, second = wish_for(100, *budgets, micros=200), wish_for(100, *budgets, micros=200)
    write(engine, first, second)
    assert first.reached is None
    assert len(first.uses) == 4
    assert second.reached == key
    for kind, period in (("client", DAY), ("client", MONTH), ("key", DAY), ("account", DAY)):
        found = sums.of(kind, period)
        assert (found.reserved_tokens, found.reserved_micros) == (100, 200)
    dear = wish_for(10, *budgets, micros=301)
    write(engine, dear)
    assert dear.reached == account
    settle(engine, 90, first, micros=150)
    for kind, period in (("client", DAY), ("client", MONTH), ("key", DAY), ("account", DAY)):
        found = sums.of(kind, period)
        assert (found.tokens, found.micros) == (90, 150)
        assert (found.reserved_tokens, found.reserved_micros) == (0, 0)


def test_several_reservations_of_one_prompt_are_settled_once(
    engine: Engine, wish_for: MakeWish, sums: Sums
) -> None:
    rounds = [wish_for(20), wish_for(30), wish_for(40)]
    for wish in rounds:
        write(engine, wish)
    assert sums.of("client").reserved_tokens == 90
    settle(engine, 70, *rounds)
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (70, 0)


def test_a_prompt_that_used_more_than_it_reserved_counts_in_full(
    engine: Engine, wish_for: MakeWish, sums: Sums
) -> None:
    wish, next_one = wish_for(60), wish_for(1)
    write(engine, wish)
    settle(engine, 150, wish)
    write(engine, next_one)
    assert next_one.reached is not None
    assert sums.of("client").tokens == 150


def test_the_cheaper_model_is_let_through_up_to_its_percentage(
    engine: Engine, wish_for: MakeWish
) -> None:
    write(engine, wish_for(100))
    found = [wish_for(20, percent=120), wish_for(1, percent=120)]
    write(engine, *found)
    assert [wish.reached is None for wish in found] == [True, False]


def test_yesterdays_use_is_not_todays(engine: Engine, wish_for: MakeWish) -> None:
    yesterday = utc_now() - timedelta(days=1)
    write(engine, wish_for(100, asked_at=yesterday))
    today = wish_for(100)
    write(engine, today)
    assert today.reached is None


def test_a_prompt_over_midnight_is_settled_in_the_day_in_which_it_was_asked(
    engine: Engine, wish_for: MakeWish, sums: Sums
) -> None:
    asked_at = utc_now() - timedelta(days=1)
    wish = wish_for(60, asked_at=asked_at)
    write(engine, wish)
    settle(engine, 50, wish)
    found = sums.of("client")
    assert found.starts_on == wish.sums()[0].starts_on
    assert (found.tokens, found.reserved_tokens) == (50, 0)


def test_a_new_sum_begins_with_what_was_used_before_the_budget_was_set(
    engine: Engine,
    row: Callable[..., dict[str, Any]],
    people: People,
    wish_for: MakeWish,
    sums: Sums,
) -> None:
    recorder = Recorder(lambda: engine)
    recorder.record(row("a", tokens_in=30, tokens_out=10, cost_micros=60), VISIT)
    recorder.record(row("b", tokens_in=500, cost_micros=7, mode="sandbox"), VISIT)
    long_ago = utc_now() - timedelta(days=40)
    recorder.record(row("c", tokens_in=9_000, cost_micros=9, created_at=long_ago), VISIT)
    account = Budget("account", people.alice.account_id, DAY, 10_000, None)
    client = Budget("client", row("d")["llm_client_id"], DAY, 1_000, None)
    write(engine, wish_for(1, client, account))
    assert (sums.of("client").tokens, sums.of("client").micros) == (40, 60)
    assert (sums.of("account").tokens, sums.of("account").micros) == (540, 67)


def test_marks_are_noted_once_and_ask_for_a_mail(
    engine: Engine, wish_for: MakeWish, sums: Sums
) -> None:
    def reached() -> tuple[int, bool]:
        return sums.of("client").level, sums.of("client").next_attempt_at is not None

    wishes = [wish_for(10) for _ in range(3)]
    write(engine, *wishes)
    settle(engine, 79, wishes[0])
    assert reached() == (0, False)
    settle(engine, 1, wishes[1])
    assert reached() == (80, True)
    settle(engine, 20, wishes[2])
    assert reached() == (100, True)


def expire(planes: Planes) -> None:
    """Half an hour and more has gone by for every reservation."""
    with planes.worker.app_context():
        past = utc_now() - timedelta(seconds=1)
        db.session.execute(db.update(BudgetReservation).values(expires_at=past))
        db.session.commit()


def test_the_sweep_gives_back_what_a_killed_prompt_had_reserved(
    engine: Engine,
    planes: Planes,
    wish_for: MakeWish,
    sums: Sums,
    run_jobs: Callable[..., int],
) -> None:
    killed, alive = wish_for(60), wish_for(30)
    write(engine, killed)
    run_jobs()
    assert sums.of("client").reserved_tokens == 60, "nothing is given back before its time"
    expire(planes)
    write(engine, alive)
    run_jobs()
    assert sums.of("client").reserved_tokens == 30
    assert [one.request_id for one in sums.reservations] == [alive.request_id]
    assert sums.reservations[0].expires_at == alive.asked_at + LONGEST_PROMPT


def test_giving_back_twice_gives_back_once(
    engine: Engine, planes: Planes, wish_for: MakeWish, sums: Sums
) -> None:
    write(engine, wish_for(60), wish_for(20))
    first = sums.reservations[0]
    expire(planes)
    with planes.worker.app_context():
        jobs.give_back(first.id)
        jobs.give_back(first.id)
    assert sums.of("client").reserved_tokens == 20


def test_a_prompt_that_ends_after_its_reservation_was_given_back_counts_once(
    engine: Engine,
    planes: Planes,
    wish_for: MakeWish,
    sums: Sums,
    run_jobs: Callable[..., int],
) -> None:
    late, other = wish_for(60), wish_for(20)
    write(engine, late)
    expire(planes)
    run_jobs()
    write(engine, other)
    settle(engine, 50, late)
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (50, 20)


def test_a_prompt_that_ends_before_the_sweep_comes_has_nothing_to_give_back(
    engine: Engine,
    planes: Planes,
    wish_for: MakeWish,
    sums: Sums,
    run_jobs: Callable[..., int],
) -> None:
    late, other = wish_for(60), wish_for(20)
    write(engine, late, other)
    expire(planes)
    settle(engine, 50, late)
    run_jobs()
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (50, 0)


def rows(planes: Planes) -> int:
    with planes.worker.app_context():
        return int(db.session.scalar(db.select(db.func.count(LLMClientRequests.id))) or 0)


def test_a_row_that_is_refused_leaves_its_reservation_unsettled(
    engine: Engine,
    planes: Planes,
    wish_for: MakeWish,
    sums: Sums,
    row: Callable[..., dict[str, Any]],
) -> None:
    recorder, wish = Recorder(lambda: engine), wish_for(60)
    recorder.reserve(wish)
    settlement = Settlement((wish,), Amount(50, 0))
    with pytest.raises(NotRecorded):
        recorder.record(row("bad", tokens_in=2**80), VISIT, settlement)
    assert rows(planes) == 0
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (0, 60)
    recorder.record(row("good"), VISIT, settlement)
    assert rows(planes) == 1
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (50, 0)


def test_a_wish_whose_batch_was_refused_is_decided_anew(
    engine: Engine, wish_for: MakeWish, sums: Sums
) -> None:
    """It was in the way of itself: what its batch had written was rolled back."""
    first, second = wish_for(60), wish_for(60)
    with engine.connect() as connection:
        reserving.write(connection, [first, second], [], utc_now())
        connection.rollback()
    assert second.reached is not None
    write(engine, second)
    assert second.reached is None
    assert sums.of("client").reserved_tokens == 60


def test_writers_who_begin_a_day_at_once_wait_for_each_other_but_never_in_a_circle(
    engine: Engine, wish_for: MakeWish, planes: Planes
) -> None:
    writers, days = 6, 15
    subjects = [Budget("key", number, DAY, 10**9, None) for number in range(1, 9)]
    begin, wishes = threading.Barrier(writers), []

    def reserve(seed: int) -> None:
        declare_writes(True)
        for day in range(days):
            asked_at = utc_now() + timedelta(days=day)
            budgets = [subjects[(seed * 3 + day + step * 5) % 8] for step in range(5)]
            wish = wish_for(10, *budgets, asked_at=asked_at)
            begin.wait(30)
            write(engine, wish)
            wishes.append(wish)

    with ThreadPoolExecutor(writers) as pool:
        for done in [pool.submit(reserve, seed) for seed in range(writers)]:
            done.result()
    assert len(wishes) == writers * days
    assert all(wish.reached is None for wish in wishes)
    with planes.worker.app_context():
        reserved = db.session.scalar(db.select(db.func.sum(BudgetUse.reserved_tokens)))
    assert reserved == writers * days * 5 * 10
