"""Budgets in front of real prompts: what is sent, what is refused in which words, what is counted.

Every answer of the provider counts 7 tokens in and 2 out, 11 micro-units of money at its price.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portal.database import db
from portal.limits import defaults
from portal.limits.models import BudgetUse
from portal.llm_clients.models import LLMClient
from portal.vault.models import AuthToken
from tests.limits.conftest import Program, SetLimits, Sums
from tests.model_server import MODEL, ModelServer, completion, refusal, stream
from tests.people import People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor
from tests.serving.keys import make_key

MOST = 20  # the longest answer of the clients here
EACH = 9


@pytest.fixture
def guide(make_visitor: MakeVisitor, model_server: ModelServer) -> Visitor:
    """A public client of the provider."""
    return make_visitor(provider="vendor", default_model=MODEL, default_max_tokens=MOST)


def key_id(planes: Planes) -> int:
    with planes.worker.app_context():
        return db.session.scalars(db.select(AuthToken)).one().id


def reserved_by_one(visitor: Visitor, set_limits: SetLimits, server: ModelServer) -> int:
    """How many tokens a prompt of `Program.ask` reserves."""
    Program(visitor).ask()
    sent = server.requests[-1]["messages"]
    return sum(-(-len(message["content"]) // 4) for message in sent) + MOST


def test_the_settlement_is_in_the_sum_when_the_row_is_in_the_history(
    guide: Visitor, set_limits: SetLimits, sums: Sums
) -> None:
    set_limits("client", guide.client_id, day_tokens=1_000, month_micros=10_000)
    assert Program(guide).statuses(3) == [200] * 3
    rows = guide.rows()
    assert [(row.tokens_in, row.tokens_out, row.cost_micros) for row in rows] == [(7, 2, 11)] * 3
    for period in ("day", "month"):
        assert (sums.of("client", period).tokens, sums.of("client", period).micros) == (27, 33)
        assert sums.of("client", period).reserved_tokens == 0
    assert sums.reservations == []


def test_a_failed_prompt_gives_back_all_that_it_reserved(
    guide: Visitor, set_limits: SetLimits, sums: Sums, model_server: ModelServer
) -> None:
    set_limits("client", guide.client_id, day_tokens=1_000)
    model_server.plays(refusal(401))
    assert Program(guide).statuses(2) == [502, 502]
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (0, 0)
    assert sums.reservations == []


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/stream"])
def test_a_fault_of_ours_has_its_row_and_gives_back_what_was_reserved(
    guide: Visitor,
    set_limits: SetLimits,
    sums: Sums,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
) -> None:
    def broken(name: str, base_url: str, api_key: str) -> Any:
        raise ZeroDivisionError("inside")

    extensions = guide.planes.serving.extensions
    adapters = replace(extensions["portal_adapters"], chat_provider=broken)
    monkeypatch.setitem(extensions, "portal_adapters", adapters)
    set_limits("client", guide.client_id, day_tokens=1_000)
    body = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}], "message": "hello"}
    if path == "/stream":
        told = guide.ask("POST", path, json=body).text
        assert "event: error" in told
    else:
        del body["message"]
        told = guide.ask("POST", path, json=body).text
        assert '"server_error"' in told
    assert "not available right now" in told
    assert "inside" not in told
    assert "ZeroDivisionError" in caplog.text
    (row,) = guide.rows()
    assert (row.status, row.error_code) == (500, "fault")
    assert (sums.of("client").tokens, sums.of("client").reserved_tokens) == (0, 0)
    assert sums.reservations == []


def test_an_answer_that_broke_off_counts_what_was_read(
    guide: Visitor, set_limits: SetLimits, sums: Sums, model_server: ModelServer
) -> None:
    set_limits("client", guide.client_id, day_tokens=1_000)
    model_server.plays(stream("Once upon", " a time", is_cut=True))
    told = guide.ask("POST", "/stream", json={"message": "Tell me a story"})
    assert "event: error" in told.text
    row = guide.rows()[0]
    assert row.status == 502
    assert row.tokens_out == 4, "16 letters"
    assert sums.of("client").tokens == row.tokens_in + row.tokens_out
    assert sums.of("client").reserved_tokens == 0


def test_the_component_reads_a_sentence_and_a_program_gets_429(
    guide: Visitor, set_limits: SetLimits, model_server: ModelServer
) -> None:
    set_limits("client", guide.client_id, day_tokens=1)
    body = guide.prompt("hello")
    assert "answers again tomorrow" in body["smarter_error"]["message"]
    assert body["choices"] == []
    answer = Program(guide).ask(headers={"Origin": "https://shop.example"})
    assert answer.status_code == 429
    assert answer.get_json()["error"]["code"] == "insufficient_quota"
    assert answer.get_json()["error"]["type"] == "insufficient_quota"
    assert "answers again tomorrow" in answer.get_json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert model_server.asked == []
    assert [(row.status, row.error_code) for row in guide.rows()] == [(429, "budget_reached")] * 2
    assert "client" in guide.rows()[0].error_text
    assert "(1 token)" in guide.rows()[0].error_text


def test_a_client_says_it_in_its_own_words(guide: Visitor, set_limits: SetLimits) -> None:
    words = "We are having lunch. <b>Back soon.</b>"
    set_limits("client", guide.client_id, month_tokens=1, reached_words=words)
    told = guide.prompt("hello")["smarter_error"]["message"]
    assert told == "We are having lunch. &lt;b&gt;Back soon.&lt;/b&gt;"
    assert Program(guide).ask().get_json()["error"]["message"] == words
    page = guide.ask("POST", "/", data={"message": "hello"})
    assert page.status_code == 429
    assert "We are having lunch." in page.text
    events = guide.ask("POST", "/stream", json={"message": "hello"})
    assert events.status_code == 200
    assert "event: error" in events.text
    assert "We are having lunch." in events.text


def test_without_words_a_month_has_its_own_sentence(guide: Visitor, set_limits: SetLimits) -> None:
    set_limits("client", guide.client_id, month_tokens=1)
    assert "for this month" in Program(guide).ask().get_json()["error"]["message"]


def test_the_budget_of_a_key_is_the_keys_alone(
    guide: Visitor, planes: Planes, set_limits: SetLimits, sums: Sums
) -> None:
    first = make_key(guide)
    set_limits("key", key_id(planes), day_tokens=1)
    second = make_key(guide, "another")
    refused = Program(guide, first).ask()
    assert refused.status_code == 429
    assert "budget of this API key" in refused.get_json()["error"]["message"]
    assert Program(guide, second).statuses(2) == [200, 200]
    assert sums.of("key").tokens == 0


def test_client_key_and_account_count_at_once_and_the_scarcest_decides(
    guide: Visitor,
    planes: Planes,
    people: People,
    set_limits: SetLimits,
    sums: Sums,
    model_server: ModelServer,
) -> None:
    one = reserved_by_one(guide, set_limits, model_server)
    key = make_key(guide)
    set_limits("client", guide.client_id, day_tokens=100_000)
    set_limits("key", key_id(planes), day_tokens=EACH * 2 + one)
    set_limits("account", people.alice.account_id, month_micros=1_000_000)
    before = len(model_server.asked)
    program = Program(guide, key)
    assert program.statuses(5) == [200, 200, 200, 429, 429]
    assert len(model_server.asked) - before == 3
    assert sums.of("key").tokens == 3 * EACH
    # These began before their budgets were set; a key has no hourly sums to begin with.
    assert sums.of("client").tokens == 4 * EACH
    assert sums.of("account", "month").micros == 4 * 11


def test_a_budget_of_money_is_held_by_the_price_of_the_model(
    guide: Visitor, set_limits: SetLimits, sums: Sums, model_server: ModelServer
) -> None:
    tokens = reserved_by_one(guide, set_limits, model_server)
    one = (tokens - MOST) * 1 + MOST * 2
    set_limits("client", guide.client_id, day_micros=11 + 11 + one)
    assert Program(guide).statuses(4) == [200, 200, 429, 429]
    assert sums.of("client").micros == 33
    assert [row.cost_micros for row in guide.rows()] == [11, 11, 11, 0, 0]


def test_accounts_and_clients_do_not_share(
    guide: Visitor,
    people: People,
    make_visitor: MakeVisitor,
    set_limits: SetLimits,
) -> None:
    set_limits("client", guide.client_id, day_tokens=1)
    other = make_visitor("other", provider="vendor", default_model=MODEL)
    strangers = make_visitor("theirs", owner=people.charlie)
    set_limits("account", people.alice.account_id, day_tokens=1)
    assert Program(guide).ask().status_code == 429
    assert Program(other).ask().status_code == 429, "the account's budget is everybody's"
    assert "smarter_error" not in strangers.prompt("hello")


def test_the_cheaper_model_answers_from_100_to_120_percent(
    guide: Visitor,
    set_limits: SetLimits,
    sums: Sums,
    model_server: ModelServer,
    second_server: ModelServer,
) -> None:
    one = reserved_by_one(guide, set_limits, model_server)
    budget = 10 * one
    set_limits(
        "client",
        guide.client_id,
        day_tokens=budget,
        cheaper_provider="spare",
        cheaper_model="small-model",
        address_rate=1_000,
    )
    model_server.plays(completion(tokens=(one - MOST, MOST)))
    second_server.plays(completion(tokens=(one - MOST, MOST)))
    statuses = Program(guide).statuses(14)
    first_used = EACH
    affordable = (budget - first_used) // one
    cheaper = (budget * 120 // 100 - first_used) // one - affordable
    assert statuses == [200] * (affordable + cheaper) + [429] * (14 - affordable - cheaper)
    assert len(model_server.asked) == 1 + affordable
    assert len(second_server.asked) == cheaper > 0
    assert {asked["model"] for asked in second_server.requests} == {"small-model"}
    rows = guide.rows()
    assert [row.provider for row in rows].count("spare") == cheaper
    assert sums.of("client").tokens == first_used + one * (affordable + cheaper)
    assert sums.of("client").tokens <= budget * 120 // 100


def test_the_sandbox_of_the_accounts_people_counts_for_the_account_only(
    guide: Visitor, people: People, set_limits: SetLimits, sums: Sums, planes: Planes
) -> None:
    set_limits("client", guide.client_id, day_tokens=1, session_rate=1, address_rate=1)
    set_limits("account", people.alice.account_id, day_tokens=100_000)
    browser = people.browser(people.alice)
    path = f"/workbench/llm-clients/{guide.hashed_id}/"
    for _ in range(3):
        page = browser.follow(browser.post(path, {"message": "hello"}))
    assert "Fine." in page.words
    assert sums.of("account").tokens == 3 * EACH
    with planes.worker.app_context():
        assert [use.kind for use in db.session.scalars(db.select(BudgetUse))] == ["account"]


@pytest.mark.parametrize("number", ["by its number", "by its hashed id"])
def test_who_asks_on_the_platforms_host_is_a_visitor_like_any_other(
    guide: Visitor, set_limits: SetLimits, number: str
) -> None:
    set_limits("client", guide.client_id, day_tokens=1)
    public_id = guide.client_id if number == "by its number" else guide.hashed_id
    path = f"/api/v1/llm-clients/{public_id}"
    body = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}
    platform = guide.planes.settings.platform_url
    client = guide.planes.serving.test_client()
    answer = client.post(f"{path}/v1/chat/completions", json=body, base_url=platform)
    assert answer.status_code == 429
    told = client.post(f"{path}/prompt/", json=body, base_url=platform).get_json()
    assert "smarter_error" in told["data"]["body"]


def test_a_public_client_has_a_budget_though_nobody_set_one(
    guide: Visitor, planes: Planes, sums: Sums
) -> None:
    program = Program(guide)
    assert program.ask().status_code == 200
    with planes.worker.app_context():
        use = db.session.scalars(db.select(BudgetUse)).one()
        assert (use.kind, use.period, use.tokens) == ("client", "day", EACH)
        use.tokens = defaults.PUBLIC_DAY_TOKENS
        db.session.commit()
    assert program.ask().status_code == 429


def test_a_client_that_wants_a_key_has_none_unless_somebody_sets_one(
    guide: Visitor, planes: Planes
) -> None:
    key = make_key(guide)
    assert Program(guide, key).statuses(2) == [200, 200]
    with planes.worker.app_context():
        assert db.session.scalars(db.select(BudgetUse)).all() == []
        assert db.session.scalars(db.select(LLMClient)).one().is_authentication_required
