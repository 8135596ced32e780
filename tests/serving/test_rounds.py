"""A model that calls tools: ours are run here, the caller's own go to the caller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.caching import cache
from portal.database import db
from portal.limits.models import BudgetReservation, BudgetUse, Limits
from portal.llm_clients.models import LLMClient
from portal.serving.rounds import MOST_CALLS_A_ROUND, MOST_ROUNDS, TOO_MANY_CALLS
from tests.model_server import MODEL, ModelServer, call, completion, refusal, stream
from tests.people import People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor

CHAT = "/v1/chat/completions"
SUM = call("calculator", {"expression": "2 + 2"}, "call_a")
PRODUCT = call("calculator", {"expression": "3 * 5"}, "call_b")
THEIRS = call("open_door", {"door": "red"}, "call_c")
DOOR = {
    "type": "function",
    "function": {"name": "open_door", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
def guide(make_visitor: MakeVisitor, model_server: ModelServer, planes: Planes) -> Visitor:
    """A client whose model may calculate."""
    visitor = make_visitor(provider="vendor", default_model=MODEL, default_max_tokens=1_000)
    with planes.worker.app_context():
        published = db.session.get_one(LLMClient, visitor.client_id).published_revision
        assert published is not None
        published.content = {**published.content, "functions": ["calculator"]}
        db.session.commit()
        cache().forget()
    return visitor


def ask(visitor: Visitor, **fields: Any) -> Any:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "How much?"}], **fields}
    answer = visitor.ask("POST", CHAT, json=body)
    assert answer.get_data()
    assert answer.status_code == 200, answer.text
    return answer


def choice(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.get_json()["choices"][0]
    return found


def deltas(answer: Any) -> list[dict[str, Any]]:
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    assert events[-1] == "[DONE]"
    parsed = [json.loads(event) for event in events[:-1]]
    return [event["choices"][0]["delta"] for event in parsed if event["choices"]]


def sent_results(server: ModelServer, at: int) -> list[tuple[str, str]]:
    """The results of tools that were in a request."""
    messages = server.requests[at]["messages"]
    return [(m["tool_call_id"], m["content"]) for m in messages if m["role"] == "tool"]


def test_a_tool_is_run_and_its_result_goes_back_to_the_model(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.plays(completion(None, calls=[SUM]), completion("It is 4."))
    answer = ask(guide)
    assert choice(answer)["message"]["content"] == "It is 4."
    assert "tool_calls" not in choice(answer)["message"]
    assert choice(answer)["finish_reason"] == "stop"
    assert len(model_server.asked) == 2
    first, second = model_server.requests
    assert [tool["function"]["name"] for tool in first["tools"]] == ["calculator"]
    assert second["tools"] == first["tools"]
    assert second["messages"][:-2] == first["messages"]
    assert second["messages"][-2] == {"role": "assistant", "content": None, "tool_calls": [SUM]}
    assert sent_results(model_server, 1) == [("call_a", "2 + 2 = 4")]


def test_the_row_has_every_call_and_the_sums_of_all_rounds(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.plays(
        completion(None, calls=[SUM], tokens=(10, 3)),
        completion(None, calls=[PRODUCT], tokens=(20, 4)),
        completion("4 and 15.", tokens=(30, 5)),
    )
    usage = ask(guide).get_json()["usage"]
    assert usage == {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
    (row,) = guide.rows()
    assert (row.status, row.tokens_in, row.tokens_out, row.cost_micros) == (200, 60, 12, 84)
    told = (row.response or {})["tools_called"]
    assert [(c["name"], c["round"], c["result"], c["is_error"]) for c in told] == [
        ("calculator", 1, "2 + 2 = 4", False),
        ("calculator", 2, "3 * 5 = 15", False),
    ]
    assert json.loads(told[0]["arguments"]) == {"expression": "2 + 2"}
    assert all(c["milliseconds"] >= 0 for c in told)
    assert row.answer_preview == "4 and 15."


def test_several_tools_at_once_are_answered_in_one_request(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.plays(completion(None, calls=[SUM, PRODUCT]), completion("4 and 15."))
    ask(guide)
    assert len(model_server.asked) == 2
    assert sent_results(model_server, 1) == [("call_a", "2 + 2 = 4"), ("call_b", "3 * 5 = 15")]
    assert len((guide.rows()[0].response or {})["tools_called"]) == 2


def test_more_calls_at_once_than_anybody_needs_are_not_all_made(
    guide: Visitor, model_server: ModelServer
) -> None:
    many = [call("calculator", {"expression": f"{n}"}, f"c{n}") for n in range(20)]
    model_server.plays(completion(None, calls=many), completion("Done."))
    ask(guide)
    results = sent_results(model_server, 1)
    assert len(results) == 20
    assert [told for _, told in results].count(TOO_MANY_CALLS) == 20 - MOST_CALLS_A_ROUND
    assert len((guide.rows()[0].response or {})["tools_called"]) == MOST_CALLS_A_ROUND


def test_a_call_that_cannot_be_made_is_a_sentence_for_the_model(
    guide: Visitor, model_server: ModelServer
) -> None:
    broken = call("calculator", {}, "call_x")
    broken["function"]["arguments"] = "not JSON"
    model_server.plays(completion(None, calls=[broken]), completion("I cannot."))
    ask(guide)
    ((_, told),) = sent_results(model_server, 1)
    assert "JSON object" in told
    assert (guide.rows()[0].response or {})["tools_called"][0]["is_error"]


def test_after_five_rounds_the_model_has_to_answer(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.plays(*[completion(None, calls=[SUM])] * MOST_ROUNDS, completion("Enough: 4."))
    assert choice(ask(guide))["message"]["content"] == "Enough: 4."
    assert len(model_server.asked) == MOST_ROUNDS + 1
    choices = [asked.get("tool_choice") for asked in model_server.requests]
    assert choices == [None] * MOST_ROUNDS + ["none"]
    (row,) = guide.rows()
    assert len((row.response or {})["tools_called"]) == MOST_ROUNDS
    assert (row.tokens_in, row.tokens_out) == (42, 12)


def test_a_model_that_calls_for_ever_is_not_asked_for_ever(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.plays(completion("Wait.", calls=[SUM]))
    answer = ask(guide)
    assert len(model_server.asked) == MOST_ROUNDS + 1
    assert choice(answer)["finish_reason"] == "stop"
    assert "tool_calls" not in choice(answer)["message"]
    assert choice(answer)["message"]["content"] == "\n\n".join(["Wait."] * (MOST_ROUNDS + 1))


@pytest.mark.parametrize("streamed", [False, True])
def test_the_callers_own_tools_are_the_callers_to_run(
    guide: Visitor, model_server: ModelServer, streamed: bool
) -> None:
    answered = stream if streamed else completion
    model_server.plays(answered("Moment.", calls=[SUM]), answered("", calls=[THEIRS]))
    answer = ask(guide, tools=[DOOR], stream=streamed)
    assert len(model_server.asked) == 2
    names = [tool["function"]["name"] for tool in model_server.requests[0]["tools"]]
    assert sorted(names) == ["calculator", "open_door"]
    if streamed:
        found = deltas(answer)
        calls = [one for delta in found for one in delta.get("tool_calls") or []]
        assert "tool_calls" in answer.text
        finished = '"finish_reason": "tool_calls"' in answer.text
    else:
        calls = choice(answer)["message"]["tool_calls"]
        finished = choice(answer)["finish_reason"] == "tool_calls"
    assert finished
    assert [(one["id"], one["function"]) for one in calls] == [("call_c", THEIRS["function"])]
    row = guide.rows()[0]
    assert [c["name"] for c in (row.response or {})["tools_called"]] == ["calculator"]


@pytest.mark.parametrize("streamed", [False, True])
def test_when_both_are_called_at_once_the_caller_gets_its_own_only(
    guide: Visitor, model_server: ModelServer, streamed: bool
) -> None:
    answered = stream if streamed else completion
    model_server.plays(answered("", calls=[SUM, THEIRS]))
    answer = ask(guide, tools=[DOOR], stream=streamed)
    assert len(model_server.asked) == 1
    assert "calculator" not in answer.text
    assert "call_a" not in answer.text
    if not streamed:
        assert [one["id"] for one in choice(answer)["message"]["tool_calls"]] == ["call_c"]


def test_a_stream_never_shows_the_calls_of_our_tools(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.plays(
        stream("Let me ", "see.", calls=[SUM]), stream("It ", "is ", "4.", tokens=(20, 5))
    )
    answer = ask(guide, stream=True, stream_options={"include_usage": True})
    found = deltas(answer)
    assert "".join(delta.get("content") or "" for delta in found) == "Let me see.\n\nIt is 4."
    assert "tool_calls" not in answer.text
    assert "calculator" not in answer.text
    assert len([delta for delta in found if delta.get("content")]) >= 5
    assert '"total_tokens": 34' in answer.text
    assert len(model_server.asked) == 2
    assert guide.rows()[0].answer_preview == "Let me see. It is 4."


def test_rounds_without_words_leave_no_empty_lines(
    guide: Visitor, model_server: ModelServer
) -> None:
    silent = stream(calls=[SUM])
    model_server.plays(stream("Let me see.", calls=[SUM]), silent, silent, stream("It is 4."))
    found = deltas(ask(guide, stream=True))
    said = "".join(delta.get("content") or "" for delta in found)
    assert said == "Let me see.\n\nIt is 4."


def test_the_chat_page_shows_words_only(guide: Visitor, model_server: ModelServer) -> None:
    model_server.plays(stream(calls=[SUM]), stream("It is 4."))
    told = guide.ask("POST", "/stream", json={"message": "How much?"}).text
    assert told.count("event: delta") == 1
    assert "calculator" not in told
    assert "event: done" in told


def test_without_functions_the_callers_calls_stream_as_they_come(
    make_visitor: MakeVisitor, model_server: ModelServer
) -> None:
    visitor = make_visitor(provider="vendor", default_model=MODEL)
    model_server.plays(stream(calls=[THEIRS]))
    found = deltas(ask(visitor, tools=[DOOR], stream=True))
    calls = [one for delta in found for one in delta.get("tool_calls") or []]
    assert [one["id"] for one in calls if one.get("id")] == ["call_c"]


def test_a_round_that_fails_leaves_the_calls_and_the_tokens_of_the_others_in_the_row(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.plays(completion(None, calls=[SUM], tokens=(10, 3)), refusal(401))
    body = {"model": MODEL, "messages": [{"role": "user", "content": "How much?"}]}
    assert guide.ask("POST", CHAT, json=body).status_code == 502
    (row,) = guide.rows()
    assert (row.status, row.error_code) == (502, "refused")
    assert (row.tokens_in, row.tokens_out, row.cost_micros) == (10, 3, 16)
    assert [c["result"] for c in (row.response or {})["tools_called"]] == ["2 + 2 = 4"]


def test_a_round_that_the_budget_does_not_afford_is_not_asked_and_not_counted(
    guide: Visitor, model_server: ModelServer, planes: Planes, people: People
) -> None:
    with planes.worker.app_context():
        account_id = people.alice.account_id
        limits = {"account_id": account_id, "kind": "client", "subject_id": guide.client_id}
        db.session.add(Limits(**limits, day_tokens=1_500))
        db.session.commit()
    model_server.plays(completion("Let me see.", calls=[SUM], tokens=(390, 3)))
    body = {"model": MODEL, "messages": [{"role": "user", "content": "How much?"}]}
    assert guide.ask("POST", CHAT, json=body).status_code == 429
    assert len(model_server.asked) == 1
    (row,) = guide.rows()
    assert (row.error_code, row.tokens_in, row.tokens_out) == ("budget_reached", 390, 3)
    with planes.worker.app_context():
        use = db.session.scalars(db.select(BudgetUse)).one()
        assert (use.tokens, use.reserved_tokens) == (393, 0)
        assert db.session.scalars(db.select(BudgetReservation)).all() == []
