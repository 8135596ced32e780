"""Pages by key: every filter, every cursor, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.database import db
from portal.history_search import listing
from portal.llm_clients.models import LLMClient, Tag
from tests.history_search.conftest import NOW, History

FILTERS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "status by name": ({"status": 502}, {"status": "failed"}),
    "status by number": ({"status": 429}, {"status": "429"}),
    "everything unanswered": ({"status": 499}, {"status": "unanswered"}),
    "session": ({"session_key": "s1"}, {"session_key": "s1"}),
    "mode": ({"mode": "custom"}, {"mode": "custom"}),
    "host": ({"hostname": "chat.example"}, {"host": "chat.example"}),
    "provider": ({"provider": "openai"}, {"provider": "openai"}),
    "model": ({"model": "gpt-9"}, {"model": "gpt-9"}),
    "revision": ({"revision_number": 7}, {"revision": "7"}),
    "key": ({"api_key_id": 12}, {"key": "12"}),
    "cause": ({"status": 504, "error_code": "timeout"}, {"cause": "timeout"}),
    "error": ({"status": 504, "error_text": "50% are Away"}, {"error": "50% are a"}),
    "slower": ({"latency_ms": 2500}, {"slower": "2.5"}),
    "faster": ({"latency_ms": 90}, {"faster": "0.1"}),
    "cost": ({"cost_micros": 20_000}, {"cost": "0,02"}),
    "tokens": ({"tokens_in": 900, "tokens_out": 100}, {"tokens": "1000"}),
}


@pytest.mark.parametrize(("columns", "values"), FILTERS.values(), ids=list(FILTERS))
def test_each_filter_finds_its_rows(
    history: History, columns: dict[str, Any], values: dict[str, str]
) -> None:
    history.write(latency_ms=1000)
    wanted = history.write(**{"latency_ms": 1000, **columns})
    history.write(latency_ms=1000)
    assert history.found(**values) == [wanted]


def test_a_client_and_a_tag(history: History, clients: Callable[[str], LLMClient]) -> None:
    history.write()
    museum = clients("museum")
    museum.tags.append(Tag(account_id=museum.account_id, name="paid"))
    db.session.commit()
    wanted = history.write(client=museum)
    assert history.found(client=museum) == [wanted]
    assert history.found(tag="paid") == [wanted]
    assert history.found(tag="free") == []
    assert history.found(client=museum, status="failed") == []


def test_nobody_sees_a_strangers_requests(history: History) -> None:
    theirs = history.write(person=history.people.charlie, session_key="s", status=500)
    for values in ({}, {"session_key": "s"}, {"status": "failed"}, {"q": "what"}):
        assert history.found(**values) == []
        assert history.found(person=history.people.charlie, **values) == [theirs]


@pytest.mark.parametrize("values", [{}, {"status": "failed"}, {"model": "m"}])
def test_130_requests_have_no_gaps_and_no_repeats(history: History, values: dict[str, str]) -> None:
    numbers = [history.write(status=500, model="m", indexed=False) for _ in range(130)]
    down = [history.page(**values)]
    while down[-1].older:
        down.append(history.page(before=down[-1].older, **values))
    assert [row.id for page in down for row in page.rows] == numbers[::-1]
    assert [len(page.rows) for page in down] == [50, 50, 30]
    up = [down[-1]]
    while up[-1].newer:
        up.append(history.page(after=up[-1].newer, **values))
    assert [row.id for page in reversed(up) for row in page.rows] == numbers[::-1]


def test_the_range_is_exact(history: History) -> None:
    """24 h: from the full hour 23 hours before the present one."""
    start = datetime(2026, 11, 19, 13, 0, tzinfo=UTC)
    history.write(at=start - timedelta(microseconds=1))
    first = history.write(at=start)
    last = history.write(at=NOW)
    assert history.found(range="24h") == [last, first]


def test_rare_rows_far_back_are_found_by_going_on(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_ROWS", 20)
    oldest = history.write(model="rare", indexed=False)
    for _ in range(45):
        history.write(model="frequent", indexed=False)
    page = history.page(model="rare")
    assert (page.rows, page.looked_to is not None) == ([], True)
    page = history.page(model="rare", before=page.older or "")
    assert page.rows == []
    page = history.page(model="rare", before=page.older or "")
    assert [row.id for row in page.rows] == [oldest]
    assert page.older is None


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "²", "0", str(2**63 - 1), "1.5"])
def test_broken_cursors_are_no_fault(history: History, cursor: str) -> None:
    number = history.write()
    assert history.found(after=cursor) in ([number], [])
    assert history.found(before=cursor) in ([number], [])
