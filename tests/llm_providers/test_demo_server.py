"""The demo provider: the protocol is real, the answer says that no model made it."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from portal.llm_providers import ChatRequest, ProviderError
from portal.llm_providers.demo_server import DemoProviderServer
from portal.llm_providers.openai_compatible import OpenAICompatibleProvider

pytestmark = pytest.mark.engine_independent

ROLE = {
    "role": "system",
    "content": "You are a friendly pirate who sells used ships at good prices in Tortuga.",
}
QUESTION = {"role": "user", "content": "What does a   small\nship cost?"}


@pytest.fixture
def provider(demo: DemoProviderServer) -> OpenAICompatibleProvider:
    return OpenAICompatibleProvider(demo.base_url, "", allow_private_addresses=True)


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as pool:
        yield pool


def test_says_what_it_is_and_repeats_question_role_and_turn(
    provider: OpenAICompatibleProvider,
) -> None:
    messages = (ROLE, QUESTION, {"role": "assistant", "content": "Much."}, QUESTION)

    text = provider.complete(ChatRequest("demo", messages)).text

    assert text.startswith("This is the demo provider: no model answers here")
    assert "“What does a small ship cost?”" in text
    assert "“You are a friendly pirate who sells used ships at good prices …”" in text
    assert "turn 2" in text


def test_says_that_there_is_no_system_role(provider: OpenAICompatibleProvider) -> None:
    text = provider.complete(ChatRequest("demo", (QUESTION,))).text
    assert "It has no system role." in text
    assert "first turn" in text


def test_streams_the_same_text_word_by_word_with_its_usage(
    provider: OpenAICompatibleProvider,
) -> None:
    request = ChatRequest("demo", (ROLE, QUESTION))
    whole = provider.complete(request)

    parts = list(provider.stream(request))

    answer = parts[-1].answer
    assert answer is not None
    assert "".join(part.text for part in parts) == answer.text == whole.text
    assert len(parts) > 20
    assert (answer.tokens_in, answer.tokens_out) == (whole.tokens_in, whole.tokens_out)
    assert "usage_estimated" not in answer.raw


def test_stops_at_the_limit_and_says_so(provider: OpenAICompatibleProvider) -> None:
    request = ChatRequest("demo", (QUESTION,), max_tokens=5)

    whole, streamed = provider.complete(request), list(provider.stream(request))[-1].answer

    assert streamed is not None
    for answer in (whole, streamed):
        assert answer.text == "This is the demo provider:"
        assert (answer.finish_reason, answer.tokens_out) == ("length", 5)


def test_a_content_in_parts_is_understood(provider: OpenAICompatibleProvider) -> None:
    parts = [
        {"type": "text", "text": "One"},
        {"type": "image_url"},
        {"type": "text", "text": "two"},
    ]
    answer = provider.complete(ChatRequest("demo", ({"role": "user", "content": parts},)))
    assert "“One two”" in answer.text


def test_lists_its_model(demo: DemoProviderServer, http: urllib3.PoolManager) -> None:
    answer = http.request("GET", f"{demo.base_url}/models").json()
    assert [model["id"] for model in answer["data"]] == ["demo"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "demo", "messages": []}, 400),
        ({"model": "demo", "messages": "hello"}, 400),
        ({"model": "demo", "messages": ["hello"]}, 400),
        ({"model": "demo"}, 400),
        ({"model": "gpt-9", "messages": [QUESTION]}, 404),
        ({"model": "demo", "messages": [QUESTION], "max_tokens": 0}, 400),
        ({"model": "demo", "messages": [QUESTION], "max_tokens": "many"}, 400),
        ([], 400),
    ],
)
def test_refuses_what_the_protocol_does_not_know_in_its_words(
    demo: DemoProviderServer, http: urllib3.PoolManager, body: Any, status: int
) -> None:
    answer = http.request("POST", f"{demo.base_url}/chat/completions", json=body)
    assert answer.status == status
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/chat/completions", b"{"), ("/nothing", b"{}"), ("/chat/completions", b"[" * 9999)],
)
def test_refuses_rubbish_and_unknown_paths(
    demo: DemoProviderServer, http: urllib3.PoolManager, path: str, body: bytes
) -> None:
    answer = http.request("POST", demo.base_url + path, body=body)
    assert answer.status in (400, 404)
    assert json.loads(answer.data)["error"]["message"]


def test_an_unknown_model_is_a_bad_request_for_our_client(
    provider: OpenAICompatibleProvider,
) -> None:
    with pytest.raises(ProviderError) as caught:
        provider.complete(ChatRequest("gpt-9", (QUESTION,)))
    assert caught.value.reason == "bad_request"
    assert "gpt-9" in caught.value.detail


def test_answers_many_at_once(provider: OpenAICompatibleProvider) -> None:
    texts: list[str] = []

    def ask() -> None:
        texts.append(
            "".join(part.text for part in provider.stream(ChatRequest("demo", (QUESTION,))))
        )

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(texts) == 20
    assert len(set(texts)) == 1


def test_starts_at_once_and_stops_without_a_thread_left() -> None:
    before = set(threading.enumerate())
    begin = time.monotonic()
    demo = DemoProviderServer("127.0.0.1", 0)
    demo.start()
    provider = OpenAICompatibleProvider(demo.base_url, "", allow_private_addresses=True)
    provider.complete(ChatRequest("demo", (QUESTION,)))
    assert time.monotonic() - begin < 0.2

    demo.stop()

    deadline = time.monotonic() + 2
    while {t for t in threading.enumerate() if t.name != "deadlines"} - before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(ProviderError):
        provider.complete(ChatRequest("demo", (QUESTION,)))
