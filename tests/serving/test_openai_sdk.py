"""The official Python SDK against a deployed client, over a real server: URL and key, no more."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portal.request_history.models import LLMClientRequests
from tests.planes import LOOPBACK
from tests.serving.conftest import Visitor
from tests.serving.keys import make_key

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

MakeSdk = Callable[..., "OpenAI"]
DOCUMENT = Path(__file__).parents[2] / "docs" / "openai-api.md"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hello"}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


@pytest.fixture(scope="module")
def openai() -> Any:
    """Loading it takes a second, and every process of a run reads this file."""
    return import_module("openai")


@pytest.fixture
def make_sdk(openai: Any, port: int, visitor: Visitor) -> Iterator[MakeSdk]:
    """The SDK as a customer sets it up, on the platform's host or on the client's own."""
    with ExitStack() as stack:

        def make(key: str = "none", *, own_host: bool = False, client_id: Any = None) -> OpenAI:
            path = f"/api/v1/llm-clients/{client_id or visitor.client_id}/v1"
            made: OpenAI = openai.OpenAI(
                api_key=key,
                base_url=f"http://{LOOPBACK}:{port}/v1"
                if own_host
                else f"http://localhost:{port}{path}",
                default_headers={"Host": visitor.host} if own_host else {},
                max_retries=0,
                http_client=openai.DefaultHttpxClient(trust_env=False),
            )
            return stack.enter_context(made)

        yield make


@pytest.fixture
def sdk(make_sdk: MakeSdk) -> OpenAI:
    return make_sdk()


def settled(visitor: Visitor, count: int) -> list[LLMClientRequests]:
    """The rows, once there are that many: the end of a request is told by the server's thread."""
    end = time.monotonic() + 5
    while len(rows := visitor.rows()) < count and time.monotonic() < end:
        time.sleep(0.02)
    return rows


@pytest.mark.parametrize("own_host", [False, True], ids=["platform", "client's host"])
def test_a_chat(own_host: bool, make_sdk: MakeSdk, visitor: Visitor) -> None:
    raw = make_sdk(own_host=own_host).chat.completions.with_raw_response.create(
        model="demo", messages=HELLO, temperature=0.2, max_tokens=500
    )
    answer = raw.parse()
    assert "You asked: “hello”" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens > 10
    [row] = visitor.rows()
    assert raw.request_id == row.request_id
    assert raw.headers["x-session-key"] == row.session_key


def test_a_stream_with_usage(sdk: OpenAI, visitor: Visitor) -> None:
    chunks = list(
        sdk.chat.completions.create(
            model="demo", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert "You asked: “hello”" in text
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None
    [row] = visitor.rows()
    assert (row.response or {})["text"] == text
    assert chunks[-1].usage.completion_tokens == row.tokens_out


def test_the_streaming_helper_puts_tools_together(sdk: OpenAI) -> None:
    asked: list[ChatCompletionMessageParam] = [
        {"role": "user", "content": 'use get_weather {"city": "Bergen"}'}
    ]
    with sdk.chat.completions.stream(model="demo", messages=asked, tools=[WEATHER]) as stream:
        whole = stream.get_final_completion()
    [call] = whole.choices[0].message.tool_calls or []
    assert call.id == "call_demo_1"
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "get_weather",
        {"city": "Bergen"},
    )


def test_a_round_trip_with_a_tool(sdk: OpenAI, visitor: Visitor) -> None:
    thread: list[Any] = [{"role": "user", "content": 'use get_weather {"city": "Bergen"}'}]
    first = sdk.chat.completions.create(model="guide", messages=thread, tools=[WEATHER])
    message = first.choices[0].message
    [call] = message.tool_calls or []
    assert first.choices[0].finish_reason == "tool_calls"
    thread += [message, {"role": "tool", "tool_call_id": call.id, "content": "eternal rain"}]
    last = sdk.chat.completions.create(model="guide", messages=thread, tools=[WEATHER])
    assert "eternal rain" in (last.choices[0].message.content or "")
    assert [row.request["tools"] for row in visitor.rows()] == [["get_weather"]] * 2


def test_a_session_over_two_requests(sdk: OpenAI, visitor: Visitor) -> None:
    raw = sdk.chat.completions.with_raw_response.create(model="demo", messages=HELLO)
    key = raw.headers["x-session-key"]
    sdk.chat.completions.create(model="demo", messages=HELLO, extra_headers={"X-Session-Key": key})
    sdk.chat.completions.create(model="demo", messages=HELLO, metadata={"session_key": key})
    assert [row.session_key for row in visitor.rows()] == [key] * 3


def test_the_models(sdk: OpenAI) -> None:
    assert [model.id for model in sdk.models.list()] == ["demo"]
    assert sdk.models.retrieve("guide").id == "guide"


def test_a_key_opens_and_its_absence_is_an_authentication_error(
    openai: Any, make_sdk: MakeSdk, visitor: Visitor
) -> None:
    key = make_key(visitor)
    with pytest.raises(openai.AuthenticationError) as caught:
        make_sdk("wrong").chat.completions.create(model="demo", messages=HELLO)
    assert (caught.value.code, caught.value.type) == ("invalid_api_key", "invalid_request_error")
    assert caught.value.request_id
    assert make_sdk(key).models.list().data


def test_other_models_clients_and_paths_are_not_found(
    openai: Any, make_sdk: MakeSdk, sdk: OpenAI
) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        sdk.chat.completions.create(model="gpt-9", messages=HELLO)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError):
        sdk.models.retrieve("gpt-9")
    with pytest.raises(openai.NotFoundError):
        sdk.embeddings.create(model="demo", input="x")
    with pytest.raises(openai.NotFoundError):
        make_sdk(client_id=999_999).models.list()


def test_a_bad_request_names_its_parameter(openai: Any, sdk: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(model="demo", messages=HELLO, n=2)
    assert caught.value.param == "n"
    with pytest.raises(openai.BadRequestError) as caught:
        sdk.chat.completions.create(model="demo", messages=[])
    assert caught.value.param == "messages"


@pytest.mark.parametrize("own_host", [False, True], ids=["platform", "client's host"])
def test_fields_that_are_not_honoured_are_tolerated(own_host: bool, make_sdk: MakeSdk) -> None:
    answer = make_sdk(own_host=own_host).chat.completions.create(
        model="demo",
        messages=HELLO,
        response_format={"type": "json_object"},
        user="somebody",
        extra_body={"unheard_of": {"a": [1, None]}},
    )
    assert answer.choices[0].finish_reason == "stop"


def documented_python() -> str:
    """The Python examples of the document, one after the other."""
    lines = DOCUMENT.read_text().splitlines()
    blocks = "\n".join(line if line[:4].isspace() or not line else "#" for line in lines).split("#")
    return "\n".join(
        b for b in blocks if "client.chat" in b and "const " not in b and "curl" not in b
    )


def test_the_documents_examples_run(
    port: int, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    base = f"http://localhost:{port}/api/v1/llm-clients/{visitor.client_id}/v1"
    code = textwrap.dedent(documented_python()).replace("https://guide.example.com/v1", base)
    names: dict[str, Any] = {"KEY": "none", "more": HELLO}
    exec(code, names)  # noqa: S102 - our own document
    names["client"].close()
    assert capsys.readouterr().out.count("You asked: “Where do I begin?”") == 2
    rows = visitor.rows()
    assert len(rows) == 4
    assert rows[2].session_key == rows[3].session_key


def test_leaving_a_stream_is_noticed(sdk: OpenAI, visitor: Visitor, slow_demo: None) -> None:
    stream = sdk.chat.completions.create(model="demo", messages=HELLO, stream=True)
    for _ in range(3):
        next(stream)
    stream.close()
    [row] = settled(visitor, 1)
    assert (row.status, row.error_code) == (499, "visitor_left")


@pytest.fixture
def slow_demo(outside: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo provider that takes its time over each word."""
    monkeypatch.setattr(outside.demo._server, "token_delay", 0.05)
