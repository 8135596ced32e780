"""Retention: what was said goes first, rows are folded into sums, and every batch is bounded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portal.accounts.models import Account
from portal.database import db
from portal.history_keeping import folding, jobs, removing
from portal.history_keeping.keeping import Terms, keep_some
from portal.history_keeping.models import HistoryUpkeep
from portal.history_search.index import Hunt, index_of
from portal.llm_clients.models import LLMClient
from portal.request_history import numbering
from portal.request_history.models import LLMClientRequests, Prompt, RequestBody
from portal.usage import queries as usage
from portal.usage.series import of_account
from tests.history_keeping.conftest import NOW, Asked


def keep_all(account: Account) -> int:
    """Until nothing is left; how many batches that took."""
    terms = Terms(
        account.id,
        ZoneInfo(account.timezone),
        account.request_bodies_days,
        account.request_rows_days,
    )
    for number in range(1000):
        count = keep_some(db.session.connection(), terms, NOW)
        db.session.commit()
        if not count:
            return number
    raise AssertionError("there is no end of it")


def rows() -> dict[int, LLMClientRequests]:
    db.session.expire_all()
    return {row.id: row for row in db.session.scalars(db.select(LLMClientRequests))}


def found_words(account: Account) -> list[int]:
    hunt = Hunt(account.id, None, ("needle",), 0)
    return list(index_of(db.session.connection()).find(db.session.connection(), hunt))


def test_what_was_said_goes_after_its_days(account: Account, asked: Asked) -> None:
    """30 days are kept, by the account's clock: 30.7 days ago was the 20th of October."""
    gone, kept = asked(30.7), asked(29.5)
    keep_all(account)
    found = rows()
    assert found[gone].body is None
    assert (found[gone].question_preview, found[gone].answer_preview) == ("", "")
    assert found[gone].tokens_in == 10
    assert found[kept].request == {"message": "question needle"}
    assert found_words(account) == [kept]


def test_rows_are_folded_into_a_day_of_each_client(
    account: Account, client: LLMClient, asked: Asked
) -> None:
    for _ in range(3):
        asked(101, status=200)
    asked(101, status=504, error_code="timeout", tokens_out=0, cost_micros=None)
    asked(102)
    kept = asked(99)
    keep_all(account)
    found = rows()
    sums = sorted((row for row in found.values() if row.is_aggregation), key=lambda row: row.id)
    assert set(found) == {kept, *(row.id for row in sums)}
    older, newer = sums
    assert newer.created_at.astimezone(ZoneInfo("Europe/Berlin")).isoformat() == (
        "2026-08-11T00:00:00+02:00"
    )
    assert newer.llm_client_id == client.id
    assert newer.request == {
        "from": "2026-08-11T00:00:00+02:00",
        "to": "2026-08-12T00:00:00+02:00",
        "requests": 4,
        "answered": 3,
        "refused": 0,
        "cancelled": 0,
        "failed": 1,
        "tokens_in": 40,
        "tokens_out": 60,
        "cost_micros": 15,
        "latency_ms": 4000,
        "causes": {"timeout": 1},
    }
    assert (older.request or {})["requests"] == 1
    assert older.id < newer.id < kept


def test_a_day_that_is_folded_in_parts_adds_up(
    account: Account, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "_OLDEST", folding._OLDEST.limit(2))
    for _ in range(5):
        asked(101)
    keep_all(account)
    [sums] = rows().values()
    assert (sums.request or {})["requests"] == 5


def test_folding_twice_changes_nothing(account: Account, asked: Asked) -> None:
    asked(101)
    keep_all(account)
    [before] = [(row.id, row.request) for row in rows().values()]
    assert keep_all(account) == 0
    [after] = [(row.id, row.request) for row in rows().values()]
    assert before == after


def test_hourly_sums_outlive_the_rows(account: Account, asked: Asked) -> None:
    asked(101)
    keep_all(account)
    start = NOW - timedelta(days=102)
    [hour] = usage.hourly([of_account(account.id)], start, NOW)
    assert (hour.tally.answered, hour.tally.tokens) == (1, 30)


def test_sessions_go_with_their_rows(account: Account, asked: Asked) -> None:
    asked(101, session="old")
    asked(1, session="new")
    keep_all(account)
    assert db.session.scalars(db.select(Prompt.session_key)).all() == ["new"]


def test_batches_are_bounded(
    account: Account, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    remove = removing.remove_rows

    def noted(connection: Any, ids: Any) -> None:
        sizes.append(len(ids))
        remove(connection, ids)

    monkeypatch.setattr(folding, "remove_rows", noted)
    monkeypatch.setattr(folding, "_OLDEST", folding._OLDEST.limit(4))
    for _ in range(10):
        asked(101)
    keep_all(account)
    assert sizes == [4, 4, 2]


def test_another_account_keeps_what_is_its_own(account: Account, asked: Asked) -> None:
    other = asked(200)
    row = rows()[other]
    db.session.execute(
        db.update(LLMClientRequests)
        .values(account_id=account.id)
        .where(LLMClientRequests.id == other)
    )
    assert row.account_id == account.id
    terms = Terms(account.id + 1, ZoneInfo("UTC"), 30, 100)
    assert keep_some(db.session.connection(), terms, NOW) == 0


def test_the_schedule_looks_after_every_account(account: Account, asked: Asked) -> None:
    asked(500)
    jobs.begin_upkeeps()
    upkeeps = {row.account_id: row.id for row in db.session.scalars(db.select(HistoryUpkeep))}
    assert None in upkeeps
    assert account.id in upkeeps
    for number in upkeeps.values():
        jobs.aggregate_llm_client_history(number)
    [sums] = rows().values()
    assert sums.is_aggregation
    assert sums.id < numbering.FIRST_REQUEST
    due = [ring.name for ring in jobs.due_upkeeps(NOW)]
    assert due == []


def test_an_erased_body_is_no_reason_to_stop(account: Account, asked: Asked) -> None:
    gone = asked(40)
    db.session.execute(db.delete(RequestBody).where(RequestBody.id == gone))
    db.session.commit()
    asked(40)
    assert keep_all(account) >= 1
    assert db.session.scalars(db.select(RequestBody.id)).all() == []


Dump = Callable[[], str]
