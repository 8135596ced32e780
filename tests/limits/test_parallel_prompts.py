"""A budget is never overrun, however many prompts come at once, to however many processes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest
from flask import Flask

from portal.app import create_serving_app
from portal.database import db
from tests.answering import Asked
from tests.limits.conftest import SetLimits, Sums
from tests.model_server import MODEL, Answer, ModelServer, completion
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor

PROMPTS, AFFORDED = 200, 100
ANSWER_TOKENS = 50
CHAT = "/v1/chat/completions"


@pytest.fixture
def both_apps(planes: Planes) -> Iterator[list[Flask]]:
    """Two web processes' applications over one database, each with its own writer."""
    second = create_serving_app(planes.settings)
    yield [planes.serving, second]
    with second.app_context():
        db.engine.dispose()


def as_reserved(asked: Asked) -> Answer:
    """Reports a token for four bytes of each message, and the longest answer allowed."""
    body = json.loads(asked.body)
    tokens_in = sum(-(-len(one["content"].encode()) // 4) for one in body["messages"])
    return completion(tokens=(tokens_in, body["max_tokens"]))


class HeldAnswers:
    """Lets no model answer until `go_on` is set."""

    def __init__(self, server: ModelServer) -> None:
        self.go_on = threading.Event()
        server.respond = self._respond

    def _respond(self, asked: Asked) -> Answer:
        assert self.go_on.wait(60)
        return as_reserved(asked)


def ask(app: Flask, visitor: Visitor) -> int:
    """The status of one prompt of a program."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": "the same to everybody"}]}
    return app.test_client().post(CHAT, base_url=visitor.base, json=body).status_code


def test_of_200_prompts_at_once_exactly_the_100_that_the_budget_affords_are_sent(
    model_server: ModelServer,
    make_visitor: MakeVisitor,
    both_apps: list[Flask],
    set_limits: SetLimits,
    sums: Sums,
) -> None:
    visitor = make_visitor(provider="vendor", default_model=MODEL, default_max_tokens=ANSWER_TOKENS)
    set_limits("client", visitor.client_id, address_rate=100_000, concurrent=1_000)
    model_server.respond = as_reserved
    assert ask(both_apps[0], visitor) == 200
    each = visitor.rows()[0].tokens_in + ANSWER_TOKENS
    budget = each * (1 + AFFORDED)
    set_limits("client", visitor.client_id, day_tokens=budget)

    held = HeldAnswers(model_server)
    with ThreadPoolExecutor(PROMPTS) as pool:
        asked = [pool.submit(ask, both_apps[at % 2], visitor) for at in range(PROMPTS)]
        refused = []
        for done in as_completed(asked, timeout=60):
            refused.append(done.result())
            if len(refused) == PROMPTS - AFFORDED:
                break
        wait_for_calls(model_server, 1 + AFFORDED)
        while_all_wait = sums.of("client")
        held.go_on.set()
        statuses = [one.result() for one in asked]

    assert refused == [429] * (PROMPTS - AFFORDED)
    assert (statuses.count(200), statuses.count(429)) == (AFFORDED, PROMPTS - AFFORDED)
    assert len(model_server.asked) == 1 + AFFORDED
    assert while_all_wait.reserved_tokens == each * AFFORDED
    rows = visitor.rows()
    assert len(rows) == 1 + PROMPTS
    assert len({row.request_id for row in rows}) == 1 + PROMPTS
    assert [row.status for row in rows].count(200) == 1 + AFFORDED
    assert [row.error_code for row in rows].count("budget_reached") == PROMPTS - AFFORDED
    assert sums.of("client").tokens == sum(row.tokens_in + row.tokens_out for row in rows) == budget
    assert sums.of("client").reserved_tokens == 0
    assert sums.reservations == []


def wait_for_calls(server: ModelServer, count: int) -> None:
    """All that may arrive have arrived."""
    waited = threading.Event()
    for _ in range(600):
        if len(server.asked) >= count:
            break
        waited.wait(0.05)
    waited.wait(0.2)
    assert len(server.asked) == count
