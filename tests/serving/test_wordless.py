"""Answers without a word: a person is told why, a program gets the answer as it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.llm_providers.events import event_data
from portal.serving.wordless import CUT_OFF, FILTERED, NOTHING
from tests.model_server import MODEL, Answer, ModelServer, call
from tests.serving.conftest import MakeVisitor, Visitor

CALL = call("open_door", {"door": "red"})
WORDLESS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "filtered": ({"content": ""}, "content_filter", "filtered", FILTERED),
    "at its limit": ({"content": None}, "length", "cut_off", CUT_OFF),
    "blanks": ({"content": " \n "}, "stop", "wordless", NOTHING),
    "a tool that nobody has": (
        {"content": None, "tool_calls": [CALL]},
        "tool_calls",
        "wordless",
        NOTHING,
    ),
}
USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def whole(message: dict[str, Any], finish_reason: str) -> Answer:
    choice = {
        "index": 0,
        "message": {"role": "assistant", **message},
        "finish_reason": finish_reason,
    }
    body = {"id": "up-1", "model": MODEL, "choices": [choice], "usage": USAGE}
    return 200, "application/json", json.dumps(body)


@pytest.fixture
def guide(make_visitor: MakeVisitor, model_server: ModelServer) -> Visitor:
    return make_visitor(provider="vendor", default_model=MODEL)


def last_event(answer: Any) -> tuple[str, dict[str, Any]]:
    block = answer.get_data(as_text=True).strip().split("\n\n")[-1]
    name, data = block.removeprefix("event: ").split("\ndata: ", 1)
    return name, json.loads(data)


@pytest.mark.parametrize("case", WORDLESS)
def test_a_visitor_of_the_component_is_told_why(
    case: str, guide: Visitor, model_server: ModelServer
) -> None:
    message, finish_reason, reason, sentence = WORDLESS[case]
    model_server.plays(whole(message, finish_reason))
    assert guide.prompt("Open the door")["smarter_error"] == {"message": sentence}
    [row] = guide.rows()
    assert (row.status, row.error_code, row.tokens_in, row.tokens_out) == (502, reason, 7, 2)
    assert row.cost_micros == 11
    assert finish_reason in row.error_text


@pytest.mark.parametrize("case", WORDLESS)
def test_a_visitor_of_the_chat_page_is_told_why(
    case: str, guide: Visitor, model_server: ModelServer
) -> None:
    message, finish_reason, reason, sentence = WORDLESS[case]
    model_server.plays(whole(message, finish_reason))
    name, told = last_event(guide.ask("POST", "/stream", data={"message": "Open the door"}))
    assert (name, told["message"], told["reason"]) == ("error", sentence, reason)


def test_words_of_a_refusal_are_the_answer(guide: Visitor, model_server: ModelServer) -> None:
    model_server.plays(whole({"content": None, "refusal": "I will not."}, "stop"))
    body = guide.prompt("Open the door")
    assert body["choices"][0]["message"]["content"] == "I will not."
    answer = guide.ask("POST", "/stream", data={"message": "Open the door"})
    assert '"text": "I will not."' in answer.text
    name, told = last_event(answer)
    assert (name, told["answer"]) == ("done", "I will not.")
    assert [(row.status, row.answer_preview) for row in guide.rows()] == [(200, "I will not.")] * 2


@pytest.mark.parametrize("case", ["filtered", "at its limit", "a tool that nobody has"])
def test_a_program_gets_it_as_it_is(case: str, guide: Visitor, model_server: ModelServer) -> None:
    message, finish_reason, _, _ = WORDLESS[case]
    model_server.plays(whole(message, finish_reason))
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Open the door"}]}
    answer = guide.ask("POST", "/v1/chat/completions", json=body)
    assert answer.status_code == 200
    [choice] = answer.get_json()["choices"]
    assert choice["finish_reason"] == finish_reason
    assert not choice["message"]["content"]
    assert [row.status for row in guide.rows()] == [200]


@pytest.mark.parametrize("cut", [0, 1, 3, 7])
def test_a_byte_order_mark_before_a_stream_takes_no_words(cut: int) -> None:
    octets = b'\xef\xbb\xbfdata: "first"\n\ndata: "second"\n\n'
    pieces = [octets[:cut], octets[cut:]]
    assert list(event_data(pieces)) == ['"first"', '"second"']
