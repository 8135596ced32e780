"""Recording: every request is one committed row before anybody is told that it was answered."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from portal.database import db, reading, utc_now
from portal.limits.advances import Advance, Advances
from portal.llm_clients.models import LLMClient
from portal.request_history import numbering, recording
from portal.request_history.models import LLMClientRequests, Prompt
from portal.request_history.numbering import first_of
from portal.request_history.recording import NotRecorded, Recorder
from portal.request_history.storing import Visit
from portal.usage.models import RequestRollup, UsageSeries
from portal.usage.series import of_client
from tests.people import MakeClient
from tests.planes import Planes

THREADS, EACH = 32, 8
VISIT = Visit("a" * 64)


@pytest.fixture
def engine(planes: Planes) -> Engine:
    with planes.worker.app_context():
        return db.engine


@pytest.fixture
def recorder(engine: Engine) -> Recorder:
    """A writer of its own for each test."""
    return Recorder(lambda: engine)


@pytest.fixture
def row(planes: Planes, make_client: MakeClient) -> Callable[..., dict[str, Any]]:
    """Columns of a request to the one client."""
    make_client()
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        common = {"llm_client_id": llm_client.id, "account_id": llm_client.account_id}

    def make(request_id: str, **columns: Any) -> dict[str, Any]:
        return {
            **common,
            "created_at": utc_now(),
            "request_id": request_id,
            "request": {"message": request_id},
            "status": 200,
            "mode": "default",
            **columns,
        }

    return make


def stored(engine: Engine, model: Any = LLMClientRequests) -> list[Any]:
    """What another connection sees that has committed nothing itself."""
    with reading(), engine.connect() as connection:
        return list(connection.execute(db.select(model.__table__)).mappings())


def answered(engine: Engine) -> int:
    """What the account's hourly sums say."""
    series = {row["id"]: row["grain"] for row in stored(engine, UsageSeries)}
    sums = stored(engine, RequestRollup)
    return sum(row["answered"] for row in sums if series[row["series_id"]] == "account")


class Held:
    """Keeps a writer at its first row, so that the next ones gather behind it."""

    def __init__(self, recorder: Recorder, pool: ThreadPoolExecutor) -> None:
        self._recorder, self._pool = recorder, pool
        self._reached, self._go_on = threading.Event(), threading.Event()
        self._finished = threading.Event()
        self._commit = recording._commit

    def commit(self, engine: Engine, batch: list[Any], advances: Advances) -> list[Advance]:
        self._reached.set()
        self._go_on.wait(10)
        try:
            return self._commit(engine, batch, advances)
        finally:
            self._finished.set()

    def gather(self, first: dict[str, Any], *rows: dict[str, Any]) -> list[Future[None]]:
        """All rows waiting, the first in the writer's hands and the others in one batch."""
        waiting = [self._pool.submit(self._recorder.record, first, VISIT)]
        assert self._reached.wait(5)
        waiting += [self._pool.submit(self._recorder.record, row, VISIT) for row in rows]
        until(lambda: self._recorder._waiting.qsize() == len(rows))
        return waiting

    def let_go(self) -> None:
        self._go_on.set()

    def leave_nothing_behind(self) -> None:
        """What is in the writer's hands is written before the next test begins."""
        self.let_go()
        if self._reached.is_set():
            assert self._finished.wait(10)


@pytest.fixture
def held(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    with ThreadPoolExecutor(THREADS) as pool:
        found = Held(recorder, pool)
        monkeypatch.setattr(recording, "_commit", found.commit)
        yield found
        found.leave_nothing_behind()


def test_32_threads_write_every_row_once_and_see_it_committed(
    engine: Engine, recorder: Recorder, row: Callable[..., dict[str, Any]]
) -> None:
    def work(thread: int) -> list[bool]:
        seen = []
        for number in range(EACH):
            request_id = f"{thread}-{number}"
            recorder.record(row(request_id), Visit(f"{thread:064}"))
            with reading(), engine.connect() as connection:
                query = db.select(LLMClientRequests.id).filter_by(request_id=request_id)
                seen.append(connection.execute(query).first() is not None)
        return seen

    with ThreadPoolExecutor(THREADS) as pool:
        assert all(all(seen) for seen in pool.map(work, range(THREADS)))
    expected = {f"{thread}-{number}" for thread in range(THREADS) for number in range(EACH)}
    rows = stored(engine)
    assert len(rows) == THREADS * EACH
    assert {found["request_id"] for found in rows} == expected
    assert {found["request_count"] for found in stored(engine, Prompt)} == {EACH}
    assert answered(engine) == THREADS * EACH


def test_what_waits_together_is_written_together(
    engine: Engine, row: Callable[..., dict[str, Any]], held: Held
) -> None:
    commits: list[int] = []
    listener = lambda connection: commits.append(1)  # noqa: E731
    db.event.listen(engine, "commit", listener)
    waiting = held.gather(*(row(str(number)) for number in range(20)))
    assert not any(future.done() for future in waiting), "nobody is told before the commit"
    held.let_go()
    for future in waiting:
        future.result(10)
    db.event.remove(engine, "commit", listener)
    assert len(stored(engine)) == 20
    assert len(commits) == 2


def until(condition: Callable[[], bool]) -> None:
    """Wait for it, at most five seconds."""
    pause = threading.Event()
    for _ in range(500):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not come to pass")


BAD = {
    "a status that is missing": {"status": None},
    "a client that is gone": {"llm_client_id": 999_999_999},
    "a number that no database holds": {"tokens_in": 10**30},
    "what is no JSON": {"request": {"message": object()}},
    "a time without a zone": {"created_at": datetime(2026, 1, 1)},  # noqa: DTZ001
    "a text for a number": {"latency_ms": "fast"},
}


@pytest.mark.parametrize("columns", list(BAD.values()), ids=list(BAD))
def test_one_bad_row_in_a_batch_fails_alone(
    columns: dict[str, Any],
    engine: Engine,
    recorder: Recorder,
    row: Callable[..., dict[str, Any]],
    held: Held,
) -> None:
    first, one, bad, other = held.gather(
        row("first"), row("one"), row("bad", **columns), row("other")
    )
    held.let_go()
    for good in (first, one, other):
        good.result(5)
    with pytest.raises(NotRecorded):
        bad.result(5)
    recorder.record(row("afterwards"), VISIT)
    assert {found["request_id"] for found in stored(engine)} == {
        "first",
        "one",
        "other",
        "afterwards",
    }
    assert answered(engine) == 4
    assert [found["request_count"] for found in stored(engine, Prompt)] == [4]


@pytest.mark.parametrize("size", [1, 6])
@pytest.mark.parametrize("kind", [OperationalError, InterfaceError, IntegrityError])
def test_a_commit_that_happened_but_was_answered_with_an_error_is_not_doubled(
    size: int,
    kind: type[DBAPIError],
    engine: Engine,
    row: Callable[..., dict[str, Any]],
    held: Held,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection breaks between the database's commit and its answer."""
    broken: list[int] = []

    def commit_and_break(engine: Engine, batch: list[Any], advances: Advances) -> list[Advance]:
        taken = held.commit(engine, batch, advances)
        if len(batch) == size and not broken:
            broken.append(size)
            raise kind("COMMIT", {}, Exception("the connection is lost"))
        return taken

    monkeypatch.setattr(recording, "_commit", commit_and_break)
    waiting = held.gather(row("first"), *(row(str(number)) for number in range(size)))
    held.let_go()
    for future in waiting:
        future.result(10)
    assert broken
    assert len(stored(engine)) == size + 1
    assert answered(engine) == size + 1
    assert [found["request_count"] for found in stored(engine, Prompt)] == [size + 1]


def test_a_row_that_did_not_get_in_is_told(
    engine: Engine,
    recorder: Recorder,
    row: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(engine: Engine, batch: list[Any], advances: Advances) -> list[Advance]:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(recording, "_commit", refuse)
    with pytest.raises(NotRecorded):
        recorder.record(row("lost"), None)
    assert stored(engine) == []


def test_a_writer_that_keeps_silent_is_not_waited_for_for_ever(
    row: Callable[..., dict[str, Any]], held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "WAIT_SECONDS", 0.05)
    [slow] = held.gather(row("slow"))
    with pytest.raises(NotRecorded):
        slow.result(5)


def test_sums_and_sessions_add_up(
    engine: Engine, recorder: Recorder, row: Callable[..., dict[str, Any]]
) -> None:
    start = utc_now().replace(minute=10, second=0, microsecond=0) - timedelta(hours=3)
    asked = [
        ("1", start, 200, 10, 20, 500, "a"),
        ("2", start + timedelta(minutes=5), 502, 1, 0, 700, "a"),
        ("3", start + timedelta(hours=1), 499, 2, 3, None, "b"),
        ("4", start + timedelta(hours=1), 200, 4, 5, 100, "a"),
    ]
    for request_id, at, status, tokens_in, tokens_out, latency, session in asked:
        columns = {"tokens_in": tokens_in, "tokens_out": tokens_out, "latency_ms": latency}
        found = row(request_id, created_at=at, status=status, model="m", **columns)
        recorder.record(found, Visit(session * 64))
    client = of_client(found["account_id"], found["llm_client_id"])
    sums = sorted(
        (row for row in stored(engine, RequestRollup) if row["series_id"] == client.id),
        key=lambda row: row["hour"],
    )
    columns = ("answered", "failed", "cancelled", "tokens_in", "tokens_out", "latency_ms")
    assert [tuple(row[name] for name in columns) for row in sums] == [
        (1, 1, 0, 11, 20, 1200),
        (1, 0, 1, 6, 8, 100),
    ]
    assert [row["sessions"] for row in sums] == [1, 1]
    sessions = {found["session_key"][0]: found for found in stored(engine, Prompt)}
    assert sessions["a"]["request_count"] == 3
    assert sessions["a"]["started_at"] == start
    assert sessions["a"]["last_at"] == start + timedelta(hours=1)
    assert sessions["b"]["request_count"] == 1


def test_revisions_models_and_modes_are_counted_apart(
    engine: Engine, recorder: Recorder, row: Callable[..., dict[str, Any]]
) -> None:
    at = utc_now()
    for number, (revision, model, mode) in enumerate(
        [(1, "m", "default"), (2, "m", "default"), (2, "n", "default"), (2, "n", "sandbox")]
    ):
        columns = {"revision_number": revision, "model": model, "mode": mode}
        recorder.record(row(str(number), created_at=at, **columns), None)
    series = {row["id"]: row["grain"] for row in stored(engine, UsageSeries)}
    sums = Counter(
        (series[row["series_id"]], row["answered"]) for row in stored(engine, RequestRollup)
    )
    assert sums == {
        ("account", 3): 1,
        ("account", 1): 1,
        ("client", 3): 1,
        ("client", 1): 1,
        ("model", 2): 1,
        ("model", 1): 2,
        ("part", 1): 4,
    }


def test_a_number_that_another_row_has_is_drawn_again(
    engine: Engine, recorder: Recorder, row: Callable[..., dict[str, Any]]
) -> None:
    """Of the same microsecond, by another process."""
    at = utc_now()
    first = first_of(at)
    recorder.record(row("first", created_at=at), None)
    [taken] = [found["id"] for found in stored(engine)]
    numbering._lots = count(taken - first)  # as another process may count
    recorder.record(row("second", created_at=at), None)
    following = first + (taken - first + 1) % 2**numbering.LOT_BITS
    assert {found["id"] for found in stored(engine)} == {taken, following}
