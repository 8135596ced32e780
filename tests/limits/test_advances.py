"""Advances: what a process may grant from memory, and that no sum ever loses count of it."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from portal.database import db, utc_now
from portal.limits import advances as bookkeeping
from portal.limits import jobs, reserving
from portal.limits.advances import PROMPTS, ROOM, Advance, Advances
from portal.limits.budgets import DAY, MONTH, Amount, Budget
from portal.limits.models import BudgetReservation, BudgetUse
from portal.limits.reserving import LONGEST_PROMPT
from portal.limits.wishes import Settlement, Wish
from portal.llm_clients.models import LLMClient
from portal.request_history.recording import NotRecorded, Recorder
from portal.request_history.storing import Visit
from tests.limits.conftest import Sums
from tests.people import MakeClient, People
from tests.planes import Planes
from tests.sampling import some_short

VISIT = Visit("a" * 64)
EACH = 10
WIDE = Budget("client", 1, DAY, EACH * 1_000, None)
_numbers = itertools.count(1)


@pytest.fixture
def engine(planes: Planes) -> Engine:
    with planes.worker.app_context():
        return db.engine


@pytest.fixture
def account_id(people: People) -> int:
    return people.alice.account_id


class Process:
    """A web process's writer without its thread: what it decides, and what it holds in memory."""

    def __init__(self, engine: Engine, account_id: int) -> None:
        self.engine, self.account_id = engine, account_id
        self.advances = Advances()
        self.now = utc_now()

    def wish(self, tokens: int = EACH, *budgets: Budget, **fields: Any) -> Wish:
        told = {"request_id": f"r{next(_numbers)}", "asked_at": self.now, **fields}
        return Wish(
            account_id=self.account_id,
            timezone="Europe/Berlin",
            budgets=budgets or (WIDE,),
            amount=told.pop("amount", Amount(tokens, 0)),
            **told,
        )

    def from_memory(self, wish: Wish) -> bool:
        return reserving.grant_from(self.advances, wish, self.now)

    def write(
        self, *wishes: Wish, settled: tuple[Settlement, ...] = (), closed: tuple[Advance, ...] = ()
    ) -> None:
        with self.engine.begin() as connection:
            taken = reserving.write(
                connection, wishes, settled, self.now, advances=self.advances, closed=closed
            )
        for advance in taken:
            self.advances.keep(advance)

    def ask(self, *args: Any, **fields: Any) -> Wish:
        """One wish, decided from memory or else by the database."""
        wish = self.wish(*args, **fields)
        if not self.from_memory(wish):
            self.write(wish)
        return wish

    def settle(self, used: int, *wishes: Wish) -> None:
        self.write(settled=(Settlement(wishes, Amount(used, 0)),))

    def close_ended(self) -> int:
        """What the writer does between two batches."""
        ended = self.advances.ended(self.now)
        if ended:
            self.write(closed=tuple(ended))
        return len(ended)

    def goes_on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def process(engine: Engine, account_id: int) -> Process:
    return Process(engine, account_id)


@pytest.fixture
def other(engine: Engine, account_id: int) -> Process:
    return Process(engine, account_id)


@pytest.fixture(autouse=True)
def balanced(planes: Planes, sums: Sums) -> Iterator[None]:
    """Whatever happened: what the sums have reserved is what the rows hold."""
    yield
    assert_balanced(planes, sums)


def assert_balanced(planes: Planes, sums: Sums) -> None:
    with planes.worker.app_context():
        uses = db.session.scalars(db.select(BudgetUse)).all()
    for use in uses:
        rows = [row for row in sums.reservations if use.id in row.uses]
        assert use.reserved_tokens == sum(row.tokens for row in rows)
        assert use.reserved_micros == sum(row.micros for row in rows)
        assert all(row.tokens > 0 for row in rows)


def advance_row(sums: Sums) -> BudgetReservation:
    (row,) = [one for one in sums.reservations if one.request_id.startswith("advance-")]
    return row


def with_an_advance(process: Process) -> list[Wish]:
    """The second wish within two seconds takes one."""
    return [process.ask(), process.ask()]


def test_a_single_prompt_reserves_for_itself(process: Process, sums: Sums) -> None:
    wish = process.ask()
    assert [row.request_id for row in sums.reservations] == [wish.request_id]
    process.goes_on(2)
    process.ask()
    assert sums.of("client").reserved_tokens == 2 * EACH, "two seconds later it is single again"


def test_the_second_prompt_reserves_for_those_that_follow_in_the_sums_that_all_see(
    process: Process, other: Process, sums: Sums
) -> None:
    first, second = with_an_advance(process)
    assert (first.advance_id, second.advance_id) == ("", advance_row(sums).request_id)
    assert len(advance_row(sums).request_id) <= 40
    assert advance_row(sums).tokens == PROMPTS * EACH
    assert sums.of("client").reserved_tokens == (1 + PROMPTS) * EACH
    free = WIDE.tokens - (1 + PROMPTS) * EACH
    assert other.ask(free + 1).reached == WIDE
    assert other.ask(free).reached is None


def test_what_follows_is_granted_without_the_database_until_it_is_used_up(
    process: Process, engine: Engine, sums: Sums
) -> None:
    with_an_advance(process)
    wishes = [process.wish() for _ in range(PROMPTS)]
    begun: list[int] = []
    listener = lambda connection: begun.append(1)  # noqa: E731
    event.listen(engine, "begin", listener)
    granted = [process.from_memory(wish) for wish in wishes]
    event.remove(engine, "begin", listener)
    assert granted == [True] * (PROMPTS - 1) + [False]
    assert begun == []
    assert {wish.advance_id for wish in wishes[:-1]} == {advance_row(sums).request_id}


def test_wishes_that_wait_together_share_the_advance_that_one_of_them_takes(
    process: Process, sums: Sums
) -> None:
    wishes = [process.wish() for _ in range(PROMPTS + 3)]
    process.write(*wishes)
    alone = [wish for wish in wishes if not wish.advance_id]
    assert len(alone) == 3
    assert len(sums.reservations) == 4
    assert sums.of("client").reserved_tokens == len(wishes) * EACH


@pytest.mark.parametrize(("room", "is_advance"), [(ROOM, True), (ROOM - 1, False)])
def test_an_advance_is_taken_only_while_there_is_ample_room_in_each_budget(
    process: Process, sums: Sums, room: int, is_advance: bool
) -> None:
    scarce = Budget("account", 1, MONTH, None, 7 * (1 + room))
    budgets = (WIDE, scarce)
    process.ask(0, *budgets, amount=Amount(EACH, 7))
    wish = process.ask(0, *budgets, amount=Amount(EACH, 7))
    assert bool(wish.advance_id) is is_advance
    assert sums.of("account", MONTH).reserved_micros == 7 * (1 + PROMPTS if is_advance else 2)


def test_two_processes_together_send_as_many_as_the_budget_affords(
    process: Process, other: Process, sums: Sums
) -> None:
    budget = Budget("client", 1, DAY, EACH * 100, None)
    wishes = [one.ask(EACH, budget) for _ in range(100) for one in (process, other)]
    assert [wish.reached is None for wish in wishes] == [True] * 100 + [False] * 100
    assert sums.of("client").reserved_tokens == budget.tokens


def test_a_larger_wish_takes_the_databases_way(process: Process, sums: Sums) -> None:
    with_an_advance(process)
    large = process.wish(PROMPTS * EACH)
    assert not process.from_memory(large)
    too_large_for_an_advance = process.wish(WIDE.tokens // 2)
    assert not process.from_memory(too_large_for_an_advance)
    process.write(too_large_for_an_advance)
    assert not too_large_for_an_advance.advance_id
    assert process.from_memory(process.wish()), "what was left is there still"


def test_before_a_wish_is_refused_the_process_gives_back_what_it_holds(
    process: Process, sums: Sums
) -> None:
    with_an_advance(process)
    large = process.ask(WIDE.tokens - 2 * EACH)
    assert large.reached is None
    assert sums.of("client").reserved_tokens == WIDE.tokens
    assert not process.from_memory(process.wish())
    assert process.close_ended() == 1
    assert sums.of("client").reserved_tokens == WIDE.tokens, "given back once"


def test_other_days_budgets_accounts_and_percentages_never_use_an_advance(
    process: Process,
) -> None:
    with_an_advance(process)
    changed = Budget("client", 1, DAY, WIDE.tokens + 1, None)
    others = [
        process.wish(asked_at=process.now + timedelta(days=1)),
        process.wish(EACH, changed),
        process.wish(EACH, WIDE, Budget("account", 1, DAY, EACH * 1_000, None)),
        process.wish(percent=120),
    ]
    assert [process.from_memory(wish) for wish in others] == [False] * 4
    assert process.from_memory(process.wish())
    process.ask(percent=120)
    assert not process.ask(percent=120).advance_id


def test_a_settlement_takes_its_part_out_of_the_advance_and_of_the_sum(
    process: Process, planes: Planes, sums: Sums
) -> None:
    first, second = with_an_advance(process)
    third, fourth = process.ask(), process.ask()
    process.settle(4, second)
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (4, PROMPTS * EACH)
    assert advance_row(sums).tokens == (PROMPTS - 1) * EACH
    assert_balanced(planes, sums)
    both = (Settlement((third,), Amount(3, 0)), Settlement((first, fourth), Amount(2, 0)))
    process.write(settled=both)
    assert sums.of("client").tokens == 9
    assert sums.of("client").reserved_tokens == (PROMPTS - 3) * EACH == advance_row(sums).tokens


def test_the_row_goes_when_all_of_it_is_settled(process: Process, sums: Sums) -> None:
    wishes = with_an_advance(process) + [process.ask() for _ in range(PROMPTS - 1)]
    for wish in wishes:
        process.settle(1, wish)
    assert sums.reservations == []
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (len(wishes), 0)
    assert process.close_ended() == 1
    assert sums.of("client").reserved_tokens == 0


def test_an_idle_advance_is_given_back_and_its_prompts_under_way_stay_reserved(
    process: Process, sums: Sums
) -> None:
    first, second = with_an_advance(process)
    process.goes_on(1)
    third = process.ask()
    process.goes_on(1.9)
    assert process.close_ended() == 0
    process.goes_on(0.6)
    assert process.close_ended() == 1
    assert process.advances.wait_seconds is None, "the writer waits for prompts alone"
    assert advance_row(sums).tokens == 2 * EACH
    assert advance_row(sums).expires_at == process.now + LONGEST_PROMPT
    process.settle(20, first, second, third)
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (20, 0)
    assert sums.reservations == []


def test_a_used_up_advance_is_closed_when_the_next_one_is_there(
    process: Process, sums: Sums
) -> None:
    with_an_advance(process)
    for _ in range(PROMPTS - 1):
        process.ask()
    newer = process.ask()
    assert newer.advance_id
    assert process.close_ended() == 1
    expected = {newer.advance_id: timedelta(seconds=60)}
    for row in sums.reservations:
        lasts = expected.get(row.request_id, LONGEST_PROMPT)
        assert row.expires_at == process.now + lasts


def test_an_advance_in_steady_use_is_closed_after_half_a_minute(process: Process) -> None:
    """So that it never reaches the time at which the sweep would take its prompts' part too."""
    with_an_advance(process)
    granted = []
    for _ in range(16):
        process.goes_on(1.9)
        granted.append(process.from_memory(process.wish(1)))
    assert granted == [True] * 15 + [False]
    assert process.close_ended() == 1


def test_a_clock_that_was_set_back_ends_an_advance(process: Process) -> None:
    with_an_advance(process)
    process.goes_on(-1)
    assert not process.from_memory(process.wish())
    assert process.close_ended() == 1


def test_closing_twice_gives_back_once(process: Process, sums: Sums) -> None:
    """As after a commit that was answered with an error."""
    with_an_advance(process)
    process.goes_on(2)
    (ended,) = process.advances.ended(process.now)
    process.write(closed=(ended,))
    process.advances.again(ended)
    assert process.close_ended() == 1
    assert sums.of("client").reserved_tokens == 2 * EACH


def test_a_closing_that_never_succeeds_is_left_to_the_sweep(process: Process) -> None:
    with_an_advance(process)
    process.goes_on(2)
    (ended,) = process.advances.ended(process.now)
    process.advances.again(ended)
    process.goes_on(59)
    assert process.close_ended() == 0
    assert process.advances.wait_seconds is None


def expire_advances(planes: Planes) -> None:
    with planes.worker.app_context():
        db.session.execute(
            db.update(BudgetReservation)
            .where(BudgetReservation.request_id.like("advance-%"))
            .values(expires_at=utc_now() - timedelta(seconds=1))
        )
        db.session.commit()


def test_the_sweep_gives_back_what_a_killed_process_had_reserved_beforehand(
    process: Process, planes: Planes, sums: Sums, run_jobs: Callable[..., int]
) -> None:
    first, second = with_an_advance(process)
    assert advance_row(sums).expires_at == process.now + timedelta(seconds=60)
    process.settle(5, second)
    run_jobs()
    assert advance_row(sums).tokens == (PROMPTS - 1) * EACH, "nothing before its time"
    expire_advances(planes)
    run_jobs()
    assert [row.request_id for row in sums.reservations] == [first.request_id]
    assert sums.of("client").reserved_tokens == EACH


def test_a_prompt_of_an_advance_that_the_sweep_gave_back_is_settled_once(
    process: Process, other: Process, planes: Planes, sums: Sums, run_jobs: Callable[..., int]
) -> None:
    first, second = with_an_advance(process)
    expire_advances(planes)
    run_jobs()
    elsewhere = other.ask()
    process.settle(7, second)
    assert sums.of("client").reserved_tokens == 2 * EACH, "that of the first, and elsewhere's"
    assert sums.of("client").tokens == 7
    process.goes_on(2)
    assert process.close_ended() == 1
    assert sums.of("client").reserved_tokens == 2 * EACH
    process.settle(2, first, elsewhere)
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (9, 0)


def test_the_sweep_takes_no_advance_that_was_closed_meanwhile(
    process: Process, planes: Planes, sums: Sums
) -> None:
    with_an_advance(process)
    process.goes_on(2)
    process.close_ended()
    with planes.worker.app_context():
        jobs.give_back(advance_row(sums).id)
    assert advance_row(sums).tokens == EACH


def test_the_sweep_gives_back_no_more_than_a_settlement_has_left_meanwhile(
    process: Process, planes: Planes, sums: Sums
) -> None:
    """The sweep waits for the sums, which the writer has locked."""
    _, second = with_an_advance(process)
    expire_advances(planes)
    row_id = advance_row(sums).id

    def sweep() -> None:
        with planes.worker.app_context():
            jobs.give_back(row_id)

    settlement = Settlement((second,), Amount(5, 0))
    with ThreadPoolExecutor(1) as pool:
        with process.engine.begin() as connection:
            reserving.write(connection, [], [settlement], process.now)
            swept = pool.submit(sweep)
            threading.Event().wait(0.3)
        swept.result(10)
    assert sums.of("client").reserved_tokens == EACH


def test_nothing_is_granted_from_memory_once_the_sum_is_over_its_budget(
    process: Process, sums: Sums
) -> None:
    """The provider counted far more than was reserved."""
    _, second = with_an_advance(process)
    process.settle(WIDE.tokens, second)
    assert not process.from_memory(process.wish())
    assert process.ask().reached == WIDE
    assert process.close_ended() == 1
    assert sums.of("client").reserved_tokens == EACH


def test_an_advance_whose_transaction_fails_is_not_kept(process: Process, sums: Sums) -> None:
    process.ask()
    wish = process.wish()
    with process.engine.connect() as connection:
        reserving.write(connection, [wish], [], process.now, advances=process.advances)
        connection.rollback()
    assert wish.advance_id
    assert not process.from_memory(process.wish())
    assert sums.of("client").reserved_tokens == EACH
    process.write(wish)
    assert wish.advance_id == advance_row(sums).request_id


def test_however_many_threads_ask_no_more_is_granted_than_was_taken(process: Process) -> None:
    with_an_advance(process)
    begin = threading.Barrier(16)

    def ask(_: int) -> int:
        begin.wait(10)
        return sum(process.from_memory(process.wish(1)) for _ in range(100))

    with ThreadPoolExecutor(16) as pool:
        granted = sum(pool.map(ask, range(16)))
    assert granted == (PROMPTS - 1) * EACH


@pytest.mark.parametrize("seed", some_short(range(4), one_in=4))
def test_whatever_comes_in_whichever_order_the_sums_are_what_the_rows_say(
    process: Process,
    other: Process,
    planes: Planes,
    sums: Sums,
    run_jobs: Callable[..., int],
    seed: int,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - an order of events, no secret
    account = Budget("account", 1, MONTH, 4_000, 30_000)
    sets = [(WIDE, account), (account,), (Budget("key", 1, DAY, 3_000, None), account)]
    under_way: list[tuple[Process, Wish]] = []
    used = 0
    for _ in range(150):
        one = chance.choice([process, other])
        step = chance.random()
        if step < 0.6:
            amount = Amount(chance.randint(1, 12), chance.randint(0, 20))
            wish = one.ask(0, *chance.choice(sets), amount=amount)
            if wish.reached is None:
                under_way.append((one, wish))
        elif step < 0.9 and under_way:
            whose, wish = under_way.pop(chance.randrange(len(under_way)))
            used += wish.amount.tokens
            whose.settle(wish.amount.tokens, wish)
        elif step < 0.98:
            one.goes_on(chance.choice([0.1, 0.6, 2.5]))
            one.close_ended()
        else:
            expire_advances(planes)
            run_jobs()
        assert_balanced(planes, sums)
    for whose, wish in under_way:
        used += wish.amount.tokens
        whose.settle(wish.amount.tokens, wish)
    for one in (process, other):
        one.goes_on(3)
        one.close_ended()
    expire_advances(planes)
    run_jobs()
    assert sums.reservations == []
    assert sums.of("account", MONTH).tokens == used


# With the writer's own thread


@pytest.fixture
def row(planes: Planes, make_client: MakeClient) -> Callable[[str], dict[str, Any]]:
    make_client()
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        common = {"llm_client_id": llm_client.id, "account_id": llm_client.account_id}

    def make(request_id: str, **columns: Any) -> dict[str, Any]:
        told = {"created_at": utc_now(), "request_id": request_id, "request": {}, "status": 200}
        return {**common, **told, "mode": "default", **columns}

    return make


def test_the_writer_gives_an_idle_advance_back_by_itself(
    process: Process, engine: Engine, row: Callable[..., dict[str, Any]], sums: Sums
) -> None:
    recorder = Recorder(lambda: engine)
    wishes = [process.wish() for _ in range(4)]
    for wish in wishes:
        recorder.reserve(wish)
    assert sums.of("client").reserved_tokens == (1 + PROMPTS) * EACH
    for wish in wishes[:3]:
        settlement = Settlement((wish,), Amount(3, 0))
        recorder.record(row(wish.request_id), VISIT, settlement)
    waited = threading.Event()
    for _ in range(100):
        if sums.of("client").reserved_tokens == EACH:
            break
        waited.wait(0.05)
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (9, EACH)
    assert advance_row(sums).tokens == EACH
    assert advance_row(sums).expires_at > utc_now() + LONGEST_PROMPT - timedelta(minutes=1)


def test_a_bad_row_beside_a_settlement_from_an_advance_leaves_it_unsettled(
    process: Process, engine: Engine, row: Callable[..., dict[str, Any]], sums: Sums
) -> None:
    recorder = Recorder(lambda: engine)
    wishes = [process.wish() for _ in range(3)]
    for wish in wishes:
        recorder.reserve(wish)
    settlement = Settlement((wishes[2],), Amount(3, 0))
    with pytest.raises(NotRecorded):
        recorder.record(row("bad", tokens_in=2**80), VISIT, settlement)
    assert sums.of("client").tokens == 0
    recorder.record(row("good"), VISIT, settlement)
    assert sums.of("client").tokens == 3
    assert advance_row(sums).tokens == (PROMPTS - 1) * EACH


def test_while_the_database_is_away_a_wish_fails_and_nothing_is_kept(
    process: Process, engine: Engine, sums: Sums
) -> None:
    recorder = Recorder(lambda: engine)
    recorder.reserve(process.wish())

    def refuse(*_: Any) -> None:
        raise ValueError("the transaction fails")

    event.listen(engine, "commit", refuse)
    try:
        with pytest.raises(NotRecorded):
            recorder.reserve(process.wish())
        with pytest.raises(NotRecorded):
            recorder.reserve(process.wish())
    finally:
        event.remove(engine, "commit", refuse)
    assert len(sums.reservations) == 1
    assert sums.of("client").reserved_tokens == EACH
    recorder.reserve(process.wish())
    assert sums.of("client").reserved_tokens == (1 + PROMPTS) * EACH


def test_the_bookkeeping_forgets_who_asked_long_ago(process: Process) -> None:
    for number in range(bookkeeping.MOST_SEEN + 2):
        budget = Budget("key", number, DAY, 1, None)
        key = bookkeeping.AdvanceKey(1, (budget,), ())
        process.advances.is_busy(key, process.now)
    assert len(process.advances._seen) <= bookkeeping.MOST_SEEN
