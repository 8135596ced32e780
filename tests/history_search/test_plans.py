"""Every query of the list uses the index that is meant for it, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from portal.database import db
from portal.history_keeping import partitions
from portal.history_search import listing
from portal.history_search.filters import parse
from portal.history_search.index import Entry, Hunt, index_of
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests
from portal.request_history.numbering import first_of
from tests.history_search.conftest import NOW, History

NOW_ID = first_of(NOW)
ACCOUNT = "ix_llm_client_requests_account_id_id"
CLIENT = "ix_llm_client_requests_llm_client_id_id"
SESSION = "ix_llm_client_requests_session_key_id"
UNANSWERED = "ix_llm_client_requests_unanswered"
LISTS: dict[str, tuple[dict[str, str], str]] = {
    "first page": ({}, ACCOUNT),
    "one day": ({"range": "", "from": "2026-11-19", "to": "2026-11-19"}, ACCOUNT),
    "deep page": ({"before": "CURSOR"}, ACCOUNT),
    "newer page": ({"after": "CURSOR"}, ACCOUNT),
    "client": ({"client": "CLIENT"}, CLIENT),
    "client, failed": ({"client": "CLIENT", "status": "failed"}, CLIENT),
    "session": ({"session_key": "s50"}, SESSION),
    "failed": ({"status": "failed"}, UNANSWERED),
    "unanswered": ({"status": "unanswered"}, UNANSWERED),
    "a number": ({"status": "429"}, UNANSWERED),
    "model": ({"model": "m"}, ACCOUNT),
    "slow": ({"slower": "2"}, ACCOUNT),
    "a short term": ({"q": "7"}, ACCOUNT),
}


@pytest.fixture
def asked(history: History, clients: Callable[[str], LLMClient]) -> History:
    """A fiftieth of the rows is alice's, of two clients; so that planners have a choice."""
    seldom = clients("seldom").id
    alice, charlie = history.people.alice.account_id, history.people.charlie.account_id
    theirs = db.session.scalars(db.select(LLMClient.id).filter_by(account_id=charlie)).one()
    ours = db.session.scalars(
        db.select(LLMClient.id).where(LLMClient.account_id == alice, LLMClient.id != seldom)
    ).one()
    rows = [
        {
            "id": NOW_ID - number,
            "account_id": charlie if number % 50 else alice,
            "llm_client_id": theirs if number % 50 else (seldom if number % 200 else ours),
            "created_at": NOW,
            "updated_at": NOW,
            "request_id": f"q{number}",
            "session_key": f"s{number % 500}",
            "status": 200 if number // 50 % 20 else 502,
            "model": "m",
        }
        for number in range(8_000)
    ]
    db.session.execute(LLMClientRequests.__table__.insert(), rows)
    db.session.commit()
    if db.engine.dialect.name == "postgresql":
        db.session.execute(db.text("ANALYZE llm_client_requests"))
        db.session.commit()
    return history


def plans_of(values: dict[str, str], history: History) -> list[str]:
    """The plans of all queries of the rows that a page asks, in one text each."""
    client = db.session.scalars(
        db.select(LLMClient).filter_by(account_id=history.people.alice.account_id)
    ).first()
    chosen = client if values.get("client") else None
    filters = parse({"range": "7d", **values}, ZoneInfo("UTC"), NOW)
    cursor = str(NOW_ID - 4_000)
    return plans_while(
        "llm_client_requests",
        lambda: listing.page(
            history.people.alice.account_id,
            filters,
            chosen,
            cursor if "before" in values else "",
            cursor if "after" in values else "",
        ),
    )


def plans_while(table: str, act: Callable[[], Any]) -> list[str]:
    """The plans of the queries of a table that something asks."""
    asked: list[tuple[str, Any]] = []
    note = lambda *given: asked.append((given[2], given[3]))  # noqa: E731
    event.listen(db.engine, "before_cursor_execute", note)
    act()
    event.remove(db.engine, "before_cursor_execute", note)
    is_sqlite = db.engine.dialect.name == "sqlite"
    connection = db.session.connection()
    if not is_sqlite:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    return [
        "\n".join(str(row) for row in connection.exec_driver_sql(explain + sql, values))
        for sql, values in asked
        if table in sql and sql.lstrip().startswith(("SELECT", "WITH"))
    ]


def test_each_list_goes_by_its_index(asked: History) -> None:
    """All in one test, as the rows take longer than the looks."""
    wrong = {name: told for name in LISTS if (told := _trouble_of(name, asked))}
    assert not wrong, "\n\n".join(f"{name}:\n{told}" for name, told in wrong.items())


def _trouble_of(name: str, asked: History) -> str:
    values, index = LISTS[name]
    values = {key: "x" if value == "CURSOR" else value for key, value in values.items()}
    plans = plans_of(values, asked)
    used = "\n".join(plans)
    is_meant = bool(_names(index) & _indices(used))
    is_scan = re.search(r"SCAN llm_client_requests(?! USING)|Seq Scan on llm_client_requests", used)
    return "" if plans and is_meant and not is_scan else used


def _names(index: str) -> set[str]:
    """The index itself, or the default partition's part of it, as PostgreSQL names it."""
    partition = index.replace("ix_llm_client_requests_", "llm_client_requests_rest_")
    return {index, f"{partition}_idx", partition.replace("unanswered", "account_id_id_idx1")}


def _indices(plan: str) -> set[str]:
    """Those of a month's partition, if a test before made one, under the default's name."""
    plan = re.sub(r"llm_client_requests_\d{6}_", "llm_client_requests_rest_", plan)
    return set(re.findall(r"(?:ix_)?llm_client_requests_[a-z_0-9]+", plan))


def test_a_search_asks_the_index_of_words_once(asked: History) -> None:
    """In one statement, those that wait for it as well, though hardly anything is found."""
    connection, account_id = db.session.connection(), asked.people.alice.account_id
    if connection.dialect.name == "postgresql":
        partitions.look_after(connection, NOW)  # as the schedule does: words lie in their month
    rows = LLMClientRequests.__table__
    some = db.select(rows.c.id).order_by(rows.c.id).limit(4_000)
    words = [
        Entry(number, account_id, None, f"ticket {place} for visitor {place * 7_919 % 10_007}")
        for place, number in enumerate(connection.scalars(some))
    ]
    found = index_of(connection)
    found.learn(connection, words)
    if connection.dialect.name == "postgresql" and found.can_find(connection, ("ticket",)):
        clean = "SELECT gin_clean_pending_list(oid::regclass) FROM pg_class WHERE relkind = 'i'"
        connection.exec_driver_sql(f"{clean} AND relname ~ '^request_search_.*_words_idx$'").all()
        connection.exec_driver_sql("ANALYZE request_search")
    if not found.can_find(connection, ("ticket",)):
        pytest.skip("this server has no pg_trgm")
    hunt = Hunt(account_id, None, ("ticket 3977 ",), 0, NOW_ID + 1)
    [plan] = plans_while("request_search", lambda: list(found.find(connection, hunt)))
    meant = "request_search VIRTUAL TABLE INDEX"
    if connection.dialect.name == "postgresql":
        meant = r"Index Scan on request_search_(rest|\d{6})_words_idx"
    assert re.search(meant, plan), plan
    assert "SCAN requests_to_index" not in plan, plan
    assert "Seq Scan" not in plan, plan
