"""Tools through the provider port: what is passed on, and calls put together from their pieces."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from portal.llm_providers import ChatAnswer, ChatRequest, ProviderError, StreamPart
from portal.llm_providers.demo_server import DemoProviderServer
from portal.llm_providers.openai_compatible import OpenAICompatibleProvider
from tests.llm_providers.conftest import KEY

pytestmark = pytest.mark.engine_independent

Client = Callable[..., OpenAICompatibleProvider]
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {}}}


def chunk(finish: str | None = None, **delta: Any) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def piece(index: int | None, name: str = "", arguments: Any = None, **more: Any) -> dict[str, Any]:
    function = {"name": name} if name else {}
    given = {} if arguments is None else {"arguments": arguments}
    numbered = {} if index is None else {"index": index}
    return {**numbered, "function": {**function, **given}, **more}


def call(identity: str, name: str, arguments: str) -> dict[str, Any]:
    return {
        "id": identity,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def streamed(provider: OpenAICompatibleProvider, question: ChatRequest) -> list[StreamPart]:
    with provider.stream(question) as stream:
        return list(stream)


def whole(parts: list[StreamPart]) -> ChatAnswer:
    assert parts[-1].answer is not None
    return parts[-1].answer


def test_further_fields_go_on_as_they_are_and_change_no_others(vendor: Any, client: Client) -> None:
    vendor.says("200 OK", json.dumps({"choices": [{"message": {"content": "x"}}]}))
    extra = {"tools": [TOOL], "seed": 3, "model": "other", "messages": [], "max_tokens": 9}

    client().complete(
        ChatRequest("m", ({"role": "user", "content": "x"},), max_tokens=5, extra=extra)
    )

    sent = vendor.requests[0]
    assert (sent["tools"], sent["seed"], sent["model"]) == ([TOOL], 3, "m")
    assert (len(sent["messages"]), sent["max_tokens"]) == (1, 5)


def test_a_whole_answer_has_its_calls(vendor: Any, client: Client, question: ChatRequest) -> None:
    calls = [call("c1", "look_up", "{}"), {"function": {"name": "other", "arguments": {"a": 1}}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls, "unknown": 1}
    choices = [{"message": message, "finish_reason": "tool_calls"}]
    vendor.says("200 OK", json.dumps({"choices": choices}))

    answer = client().complete(question)

    assert answer.text == ""
    assert answer.message == {
        "role": "assistant",
        "content": None,
        "tool_calls": [call("c1", "look_up", "{}"), call("call_1", "other", '{"a": 1}')],
    }
    assert answer.tokens_out > 0


def test_calls_are_put_together_from_their_pieces(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.streams(
        chunk(role="assistant", content="Let me see. "),
        chunk(tool_calls=[piece(0, "look_up", "", id="c1", type="function")]),
        chunk(tool_calls=[piece(0, arguments='{"a"'), piece(1, "other", "{}", id="c2")]),
        chunk(tool_calls=[piece(0, arguments=": 1}", id="c1")]),
        chunk("tool_calls"),
    )

    parts = streamed(client(), question)

    answer = whole(parts)
    assert answer.message["content"] == "Let me see. "
    assert answer.message["tool_calls"] == [
        call("c1", "look_up", '{"a": 1}'),
        call("c2", "other", "{}"),
    ]
    assert answer.raw["choices"][0]["message"] == answer.message
    assert (parts[-1].finish_reason, parts[-1].delta) == ("tool_calls", {})
    begun = parts[1].delta["tool_calls"][0]
    assert begun == {"index": 0, **call("c1", "look_up", "")}
    again = parts[3].delta["tool_calls"][0]
    assert again == {"index": 0, "function": {"arguments": ": 1}"}}, "id told once"


def test_a_vendor_who_leaves_the_index_out(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.streams(
        chunk(tool_calls=[piece(None, "look_up", "{", id="c1")]),
        chunk(tool_calls=[piece(None, arguments="}")]),
        chunk(tool_calls=[piece(None, "other", "{}", id="c2")]),
        chunk("stop"),
    )

    parts = streamed(client(), question)

    assert whole(parts).message["tool_calls"] == [
        call("c1", "look_up", "{}"),
        call("c2", "other", "{}"),
    ]
    assert [part.delta["tool_calls"][0]["index"] for part in parts[:-1]] == [0, 0, 1]


@pytest.mark.parametrize(
    "calls",
    [
        {"a": 1},
        ["x"],
        [piece(0, "look_up", 5)],
        [piece(0, "look_up", ["x"])],
        [piece(0, "", "{}", id="c1")],
        [piece(n, "look_up", "{}", id=f"c{n}") for n in range(129)],
    ],
    ids=["object", "text", "number", "list", "no name", "too many"],
)
def test_calls_that_cannot_be_read(
    calls: Any, vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.streams(chunk(tool_calls=calls), chunk("tool_calls"))
    with pytest.raises(ProviderError) as caught:
        streamed(client(), question)
    assert caught.value.reason == "malformed"

    message = {"content": None, "tool_calls": calls}
    vendor.says("200 OK", json.dumps({"choices": [{"message": message}]}))
    with pytest.raises(ProviderError) as caught:
        client().complete(question)
    assert caught.value.reason == "malformed"


def test_a_refusal_is_an_answer(vendor: Any, client: Client, question: ChatRequest) -> None:
    vendor.streams(chunk(refusal="I will"), chunk(refusal=" not."), chunk("stop"))
    answer = whole(streamed(client(), question))
    assert (answer.text, answer.message["refusal"]) == ("", "I will not.")


def test_the_key_never_comes_back_in_a_call(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    half = len(KEY) // 2
    vendor.streams(
        chunk(content="ok " + KEY[:half]),
        chunk(tool_calls=[piece(0, f"n_{KEY}", KEY[:half], id=KEY)]),
        chunk(content=KEY[half:], tool_calls=[piece(0, arguments=KEY[half:] + "!" + KEY[:3])]),
        chunk("tool_calls"),
    )

    parts = streamed(client(), question)

    told = json.dumps([[part.text, part.delta] for part in parts])
    assert KEY not in told
    pieces = [entry for part in parts for entry in part.delta.get("tool_calls", [])]
    arguments = "".join(entry["function"].get("arguments", "") for entry in pieces)
    assert arguments == "[key]!" + KEY[:3]
    assert "".join(part.text for part in parts) == "ok [key]"
    answer = whole(parts)
    assert KEY not in json.dumps([answer.raw, answer.message, answer.text])
    assert answer.message["tool_calls"][0]["function"]["arguments"] == arguments


# The demo provider


@pytest.mark.parametrize(
    ("text", "choice", "expected"),
    [
        ('use look_up {"a": 1}', None, [("look_up", '{"a": 1}')]),
        ("use look_up {broken}", "auto", [("look_up", "{}")]),
        ("hello", None, []),
        ("hello", "required", [("look_up", "{}")]),
        ("use look_up", "none", []),
        ("hello", TOOL, [("look_up", "{}")]),
    ],
)
def test_the_demo_calls_a_tool_that_the_question_names(
    text: str, choice: Any, expected: list[tuple[str, str]], demo: DemoProviderServer
) -> None:
    provider = OpenAICompatibleProvider(demo.base_url, "", allow_private_addresses=True)
    extra = {"tools": [TOOL], **({} if choice is None else {"tool_choice": choice})}
    request = ChatRequest("demo", ({"role": "user", "content": text},), extra=extra)

    for answer in (provider.complete(request), whole(streamed(provider, request))):
        calls = [entry["function"] for entry in answer.message.get("tool_calls", [])]
        assert [(entry["name"], entry["arguments"]) for entry in calls] == expected
        assert answer.finish_reason == ("tool_calls" if expected else "stop")


@pytest.mark.parametrize("extra", [{"tools": [{}]}, {"tools": 5}, {"tool_choice": {}}])
def test_the_demo_refuses_tools_without_names(extra: Any, demo: DemoProviderServer) -> None:
    provider = OpenAICompatibleProvider(demo.base_url, "", allow_private_addresses=True)
    with pytest.raises(ProviderError) as caught:
        provider.complete(ChatRequest("demo", ({"role": "user", "content": "x"},), extra=extra))
    assert caught.value.reason == "bad_request"
