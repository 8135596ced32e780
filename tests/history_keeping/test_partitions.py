"""Monthly partitions of PostgreSQL: made ahead, filled, dropped when they are empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from portal.accounts.models import Account
from portal.database import db
from portal.history_keeping import partitions
from portal.request_history.models import LLMClientRequests
from tests.history_keeping.conftest import NOW, Asked


def names() -> list[str]:
    return sorted(partitions._partitions(db.session.connection(), "llm_client_requests"))


def look_after(at: datetime = NOW) -> None:
    partitions.look_after(db.session.connection(), at)
    db.session.commit()


def partition_of(number: int) -> str:
    query = "SELECT tableoid::regclass FROM llm_client_requests WHERE id = :id"
    return str(db.session.scalar(db.text(query), {"id": number}))


@pytest.fixture(autouse=True)
def none_before_and_after(postgres_url: str, account: Account) -> Iterator[None]:
    drop()
    yield
    db.session.rollback()
    drop()


def drop() -> None:
    for table in partitions.TABLES:
        for name in partitions._partitions(db.session.connection(), table):
            if not name.endswith("_rest"):
                db.session.execute(db.text(f"DROP TABLE {name}"))
    db.session.commit()


def test_this_month_and_the_next_two_are_made_and_rows_move_into_theirs(asked: Asked) -> None:
    number = asked(1)
    assert partition_of(number) == "llm_client_requests_rest"
    look_after()
    assert names() == [
        "llm_client_requests_202611",
        "llm_client_requests_202612",
        "llm_client_requests_202701",
        "llm_client_requests_rest",
    ]
    assert partition_of(number) == "llm_client_requests_202611"
    assert partition_of(asked(0)) == "llm_client_requests_202611"
    look_after()
    assert len(names()) == 4


def test_an_empty_month_goes_and_a_full_one_stays(asked: Asked) -> None:
    look_after(NOW - timedelta(days=61))
    old = asked(60)
    look_after()
    assert "llm_client_requests_202609" in names()
    assert "llm_client_requests_202610" not in names(), "it was empty, and it is over"
    db.session.execute(db.delete(LLMClientRequests).where(LLMClientRequests.id == old))
    db.session.commit()
    look_after()
    assert "llm_client_requests_202609" not in names()


def test_many_rows_of_old_tables_stay_where_they_are(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "MOST_MOVED", 2)
    for _ in range(3):
        asked(1)
    look_after()
    assert names() == ["llm_client_requests_rest"]
