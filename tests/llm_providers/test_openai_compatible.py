"""The client of the OpenAI protocol: answers, streams, and every way to fail."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from portal.errors import AdapterError
from portal.llm_providers import ChatRequest, ProviderError, StreamPart
from portal.llm_providers.openai_compatible import OpenAICompatibleProvider

pytestmark = pytest.mark.engine_independent

KEY = "sk-account-0123456789abcdef"
MESSAGE = {"role": "assistant", "content": "Arr, good day!"}
USAGE = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "some-model-2026",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
    "usage": USAGE,
}
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
Client = Callable[..., OpenAICompatibleProvider]


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> str:
    delta = {} if text is None else {"content": text}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return json.dumps({"id": "c1", "model": "some-model-2026", "choices": choices, **more})


def event(text: str) -> str:
    return f"data: {chunk(text)}\n\n"


def failure_of(provider: OpenAICompatibleProvider, question: ChatRequest) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        provider.complete(question)
    return caught.value


def stream_failure(
    provider: OpenAICompatibleProvider, question: ChatRequest
) -> tuple[str, ProviderError]:
    seen: list[StreamPart] = []
    with pytest.raises(ProviderError) as caught, provider.stream(question) as stream:
        seen.extend(stream)
    return "".join(part.text for part in seen), caught.value


# What is sent, and what comes back


def test_sends_model_messages_limits_and_key(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.says("200 OK", json.dumps(COMPLETION))

    client().complete(question)

    sent = vendor.requests[0]
    assert sent["line"] == b"POST /v1/chat/completions HTTP/1.1"
    assert sent["head"]["Authorization"] == f"Bearer {KEY}"
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("some-model", 0.5, 64)
    assert sent["messages"] == list(question.messages)
    assert "stream" not in sent


def test_leaves_out_what_was_left_to_the_provider(vendor: Any, client: Client) -> None:
    vendor.says("200 OK", json.dumps(COMPLETION))

    client().complete(ChatRequest("m", ({"role": "user", "content": "x"},)))

    assert not {"temperature", "max_tokens"} & set(vendor.requests[0])


def test_a_model_that_refuses_a_temperature_is_sent_none(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    for _ in range(2):
        vendor.says("200 OK", json.dumps(COMPLETION))

    client(fixed_temperature=frozenset({question.model})).complete(question)
    client(fixed_temperature=frozenset({"another"})).complete(question)

    assert [request.get("temperature") for request in vendor.requests] == [
        None,
        question.temperature,
    ]


def test_the_field_of_the_limit_can_be_the_vendors_own(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.says("200 OK", json.dumps(COMPLETION))

    client(answer_limit_field="max_completion_tokens").complete(question)

    assert vendor.requests[0]["max_completion_tokens"] == 64
    assert "max_tokens" not in vendor.requests[0]


def test_reads_text_model_reason_and_tokens(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.says("200 OK", json.dumps(COMPLETION))

    answer = client().complete(question)

    assert answer.text == "Arr, good day!"
    assert (answer.model, answer.finish_reason) == ("some-model-2026", "stop")
    assert (answer.tokens_in, answer.tokens_out) == (12, 5)
    assert answer.raw == COMPLETION


def test_estimates_tokens_where_the_provider_counts_none(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.says("200 OK", json.dumps({**COMPLETION, "usage": None}))

    answer = client().complete(question)

    assert (answer.tokens_in, answer.tokens_out) == (5 + 2, 4)
    assert answer.raw["usage_estimated"] is True


def test_a_content_in_parts_is_put_together(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    parts = [{"type": "text", "text": "Good "}, {"type": "text", "text": "day\u0000!"}]
    choice = {"message": {"role": "assistant", "content": parts}, "finish_reason": "stop"}
    vendor.says("200 OK", json.dumps({**COMPLETION, "choices": [choice]}))

    assert client().complete(question).text == "Good day!"


def test_one_connection_serves_many_questions(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    provider = client()
    for _ in range(3):
        vendor.says("200 OK", json.dumps(COMPLETION))
        provider.complete(question)
        vendor.streams(chunk("a"), chunk(finish="stop"))
        list(provider.stream(question))

    assert vendor.connections == 1


def test_a_chunked_stream_leaves_its_connection_for_the_next(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    provider = client()
    body = (event("a") + "data: [DONE]\n\n").encode()
    head = HEAD.replace("Connection: close", "Transfer-Encoding: chunked").encode()
    vendor.answer = head + b"%x\r\n%b\r\n" % (len(body), body) + b"0\r\n\r\n"

    for _ in range(3):
        list(provider.stream(question))

    assert vendor.connections == 1


def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    provider = client()
    vendor.says("200 OK", json.dumps(COMPLETION))
    provider.complete(question)
    kept_answer, hung_up = vendor.answer, []

    def hang_up_once(handler: Any) -> None:
        if not hung_up:
            hung_up.append(True)
            return
        handler.wfile.write(kept_answer)

    vendor.answer = hang_up_once

    assert provider.complete(question).text == "Arr, good day!"
    assert hung_up


# Failures of a whole answer


@pytest.mark.parametrize(
    ("status", "reason", "permanent"),
    [
        ("400 Bad Request", "bad_request", True),
        ("401 Unauthorized", "refused", True),
        ("402 Payment Required", "refused", True),
        ("403 Forbidden", "refused", True),
        ("404 Not Found", "bad_request", True),
        ("408 Request Timeout", "timeout", False),
        ("422 Unprocessable", "bad_request", True),
        ("429 Too Many Requests", "rate_limited", False),
        ("500 Internal Server Error", "unavailable", False),
        ("502 Bad Gateway", "unavailable", False),
        ("503 Service Unavailable", "unavailable", False),
        ("504 Gateway Timeout", "timeout", False),
        ("529 Overloaded", "unavailable", False),
        ("302 Found", "bad_request", True),
    ],
)
def test_a_status_has_its_reason(
    vendor: Any, client: Client, question: ChatRequest, status: str, reason: str, permanent: bool
) -> None:
    vendor.says(status, json.dumps({"error": {"message": "the vendor's words"}}))

    for failure in (failure_of(client(), question), stream_failure(client(), question)[1]):
        assert (failure.reason, failure.permanent) == (reason, permanent)
        assert failure.http_status == int(status[:3])
        assert "vendor" not in failure.public_message
        assert failure.public_message.endswith(".")


def test_the_vendors_words_are_the_detail(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.says("400 Bad Request", json.dumps({"error": {"message": "too long a context"}}))
    assert failure_of(client(), question).detail == "HTTP 400: too long a context"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("1.2", 2),
        ("0", 0),
        ("999999", 3600),
        ("soon", None),
        ("Fri, 01 Jan 2021 00:00:00 GMT", 0),
    ],
)
def test_a_busy_provider_may_say_when_to_come_back(
    vendor: Any, client: Client, question: ChatRequest, header: str, seconds: int | None
) -> None:
    vendor.says("429 Too Many Requests", "{}", f"Retry-After: {header}")

    failure = failure_of(client(), question)

    assert failure.retry_after_seconds == seconds
    assert (f"in {seconds} seconds" in failure.public_message) == bool(seconds)


def test_a_used_up_quota_is_permanent(vendor: Any, client: Client, question: ChatRequest) -> None:
    vendor.says("429 Too Many Requests", json.dumps({"error": {"code": "insufficient_quota"}}))
    assert failure_of(client(), question).permanent


def test_a_redirect_is_not_followed(vendor: Any, client: Client, question: ChatRequest) -> None:
    vendor.says("307 Temporary Redirect", "", f"Location: {vendor.base_url}/elsewhere")

    assert "elsewhere" in failure_of(client(), question).detail
    assert len(vendor.requests) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"choices": [', "not JSON"),
        ("<html><title>Log in</title></html>", "<html>"),
        ("", "empty"),
        ("[]", "not a JSON object"),
        ("{}", "no choices"),
        ('{"choices": []}', "no choices"),
        ('{"choices": [{}]}', "no message"),
        ('{"choices": [{"message": {"content": 7}}]}', "not text"),
        ('{"choices": [{"message": {"content": ""}}]}', "empty"),
        ('{"choices": [{"message": {"content": NaN}}]}', "not JSON"),
        ("[" * 50_000, "not JSON"),
    ],
)
def test_an_answer_that_is_none_is_malformed(
    vendor: Any, client: Client, question: ChatRequest, body: str, words: str
) -> None:
    vendor.says("200 OK", body)

    failure = failure_of(client(), question)

    assert failure.reason == "malformed"
    assert words in failure.detail
    assert len(failure.detail) <= 500


def test_an_error_dressed_as_success_is_an_error(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.says("200 OK", json.dumps({"error": {"code": 429, "message": "slow down"}}))
    assert failure_of(client(), question).reason == "rate_limited"


def test_an_empty_answer_that_reached_its_limit_is_one(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    choice = {"message": {"content": None}, "finish_reason": "length"}
    vendor.says("200 OK", json.dumps({**COMPLETION, "choices": [choice]}))
    assert client().complete(question).text == ""


def test_silence_is_a_timeout(vendor: Any, client: Client, question: ChatRequest) -> None:
    vendor.falls_silent()
    begin = time.monotonic()

    assert failure_of(client(), question).reason == "timeout"
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize(
    "piece",
    ["HTTP/1.1 200 OK\r\nX-Slow: ", HEAD, HEAD + ": comment\n"],
    ids=["head", "body", "event"],
)
def test_dripping_for_ever_is_a_timeout_too(
    vendor: Any, client: Client, question: ChatRequest, piece: str
) -> None:
    vendor.drips(piece, "x", forever=True)
    provider = client(total_timeout=0.4)
    begin = time.monotonic()

    failure = stream_failure(provider, question)[1]

    assert failure.reason == "timeout"
    assert "0.4 s" in failure.detail
    assert time.monotonic() - begin < 1
    assert vendor.hung_up.wait(2)


def test_hanging_up_without_an_answer_is_unavailable(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.answer = lambda handler: None
    assert failure_of(client(), question).reason == "unavailable"


def test_a_body_shorter_than_announced_is_cut(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.answer = lambda handler: handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"
    )
    assert failure_of(client(), question).reason == "cut"


def test_a_huge_answer_is_too_large(vendor: Any, client: Client, question: ChatRequest) -> None:
    vendor.says("200 OK", "x" * (2 * 1024 * 1024 + 1))
    assert failure_of(client(), question).reason == "too_large"


def test_a_compressed_bomb_is_too_large(vendor: Any, client: Client, question: ChatRequest) -> None:
    vendor.says("200 OK", gzip.compress(b" " * 50_000_000), "Content-Encoding: gzip")
    assert failure_of(client(), question).reason == "too_large"


def test_nobody_there_is_unreachable(question: ChatRequest) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        failure = failure_of(
            OpenAICompatibleProvider(url, KEY, allow_private_addresses=True), question
        )
    assert (failure.reason, failure.permanent) == ("unreachable", False)
    assert "refused" in failure.detail


def test_an_unknown_name_is_unreachable(question: ChatRequest) -> None:
    provider = OpenAICompatibleProvider(
        "http://no-such-host.invalid/v1", KEY, allow_private_addresses=True
    )
    assert failure_of(provider, question).reason == "unreachable"


def test_a_private_address_is_never_called(question: ChatRequest) -> None:
    provider = OpenAICompatibleProvider("https://localhost/v1", KEY, allow_private_addresses=False)
    failure = failure_of(provider, question)
    assert (failure.reason, failure.permanent) == ("unreachable", True)
    assert "forbidden_address" in failure.detail


def test_plain_http_is_refused_outside_development() -> None:
    with pytest.raises(AdapterError):
        OpenAICompatibleProvider("http://example.com/v1", KEY, allow_private_addresses=False)


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
def test_the_key_is_never_in_an_error(
    vendor: Any, client: Client, question: ChatRequest, status: str
) -> None:
    vendor.says(
        status, f"Your key {KEY} (Bearer {KEY}) or sk-other-key-123456789 is wrong\r\n\x1b[31m"
    )

    failure = failure_of(client(), question)

    assert "sk-" not in failure.detail + failure.public_message
    assert "\x1b" not in failure.detail
    assert KEY not in repr(failure)


def test_the_key_is_never_in_an_answer(vendor: Any, client: Client, question: ChatRequest) -> None:
    choice = {"message": {"content": f"It is {KEY}!"}, "finish_reason": "stop"}
    vendor.says("200 OK", json.dumps({**COMPLETION, "choices": [choice]}))

    answer = client().complete(question)

    assert answer.text == "It is [key]!"
    assert KEY not in json.dumps(answer.raw)


# Streams


def test_a_stream_comes_in_parts_and_ends_with_the_whole_answer(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    usage = json.dumps({"choices": [], "usage": USAGE})
    vendor.streams(chunk("Arr, "), chunk("good day!"), chunk(finish="stop"), usage)

    parts = list(client().stream(question))

    assert [part.text for part in parts] == ["Arr, ", "good day!", ""]
    answer = parts[-1].answer
    assert answer is not None
    assert (answer.text, answer.finish_reason) == ("Arr, good day!", "stop")
    assert (answer.model, answer.tokens_in, answer.tokens_out) == ("some-model-2026", 12, 5)
    assert answer.raw["choices"][0]["message"] == MESSAGE
    assert "usage_estimated" not in answer.raw


def test_a_stream_asks_for_its_usage_unless_the_vendor_cannot(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.streams(chunk("a"), chunk(finish="stop"))
    list(client().stream(question))
    answer = list(client(stream_usage=False).stream(question))[-1].answer

    assert vendor.requests[0]["stream"] is True
    assert vendor.requests[0]["stream_options"] == {"include_usage": True}
    assert "stream_options" not in vendor.requests[1]
    assert answer is not None
    assert answer.raw["usage_estimated"] is True


def test_the_first_part_arrives_before_the_last_is_sent(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.falls_silent(HEAD, event("first"))

    with client(read_timeout=5).stream(question) as stream:
        assert next(stream).text == "first"


def test_events_may_be_cut_anywhere_and_carry_comments(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    text = ": keep-alive\r\n\r\n" + event("grüß ").replace("\n", "\r\n") + event("dich")
    text += f"event: message\ndata: {chunk(finish='stop')}\n\ndata: [DONE]\n\n"
    vendor.drips(HEAD, *(text[at : at + 7] for at in range(0, len(text), 7)), pause=0.001)

    parts = list(client().stream(question))

    assert parts[-1].answer is not None
    assert parts[-1].answer.text == "grüß dich"


def test_a_provider_that_does_not_stream_is_heard_all_the_same(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.says("200 OK", json.dumps(COMPLETION))

    parts = list(client().stream(question))

    assert [part.text for part in parts] == ["Arr, good day!", ""]
    assert parts[-1].answer is not None


def test_a_stream_without_an_end_is_cut(vendor: Any, client: Client, question: ChatRequest) -> None:
    vendor.streams(chunk("half an ans"), end="")

    text, failure = stream_failure(client(), question)

    assert text == "half an ans"
    assert failure.reason == "cut"


def test_a_connection_that_breaks_in_a_stream_is_cut(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    chunked = HEAD.replace("Connection: close", "Transfer-Encoding: chunked")
    vendor.drips(chunked + f"{len(event('half')):x}\r\n" + event("half") + "\r\n40\r\ndata")

    text, failure = stream_failure(client(), question)

    assert (text, failure.reason) == ("half", "cut")


def test_a_stream_that_falls_silent_is_a_timeout(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.falls_silent(HEAD, event("half"))

    text, failure = stream_failure(client(), question)

    assert (text, failure.reason) == ("half", "timeout")
    assert vendor.hung_up.wait(2)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (['{"choices": [{"delta"'], "malformed"),
        (["[]"], "malformed"),
        ([chunk(finish="stop")], "malformed"),
        ([json.dumps({"error": {"message": "overloaded"}})], "unavailable"),
        ([json.dumps({"error": {"type": "rate_limit_error"}})], "rate_limited"),
        (["x" * 300_000], "too_large"),
        ([chunk("x" * 100_000)] * 22, "too_large"),
    ],
)
def test_a_stream_that_goes_wrong_says_how(
    vendor: Any, client: Client, question: ChatRequest, events: list[str], reason: str
) -> None:
    vendor.streams(*events)
    assert stream_failure(client(), question)[1].reason == reason


def test_a_page_instead_of_a_stream_is_malformed(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.says("200 OK", "<html>", kind="text/html")
    assert stream_failure(client(), question)[1].reason == "malformed"


def test_the_key_does_not_slip_through_a_stream_in_pieces(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.streams(chunk("It is " + KEY[:9]), chunk(KEY[9:] + " or sk-"), chunk(finish="stop"))

    parts = list(client().stream(question))

    assert "".join(part.text for part in parts) == "It is [key] or sk-"
    assert parts[-1].answer is not None
    assert KEY not in parts[-1].answer.text + json.dumps(parts[-1].answer.raw)


def test_leaving_a_stream_hangs_up_on_the_provider(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    vendor.drips(HEAD, event("word "), pause=0.01, forever=True)

    with client().stream(question) as stream:
        assert next(stream).text == "word "

    assert vendor.hung_up.wait(1)
    assert list(stream) == []


@pytest.mark.parametrize("sent", [[], [HEAD], [HEAD, event("first")]], ids=["head", "body", "part"])
def test_another_thread_can_end_a_stream_whatever_it_waits_for(
    vendor: Any, client: Client, question: ChatRequest, sent: list[str]
) -> None:
    vendor.falls_silent(*sent)
    stream = client(read_timeout=30).stream(question)
    parts: list[StreamPart] = []
    reader = threading.Thread(target=lambda: parts.extend(stream))
    reader.start()
    time.sleep(0.1)

    stream.close()
    reader.join(1)

    assert not reader.is_alive()
    assert len(parts) == (1 if len(sent) == 2 else 0)
    assert vendor.hung_up.wait(1)


def test_a_stream_closed_before_it_began_asks_nobody(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    stream = client().stream(question)
    stream.close()
    stream.close()

    assert list(stream) == []
    assert vendor.requests == []


def test_closing_a_finished_stream_does_not_disturb_the_next_one(
    vendor: Any, client: Client, question: ChatRequest
) -> None:
    provider = client()
    vendor.streams(chunk("a"), chunk(finish="stop"))
    finished = provider.stream(question)
    list(finished)
    vendor.drips(HEAD, event("a"), event("b"), "data: [DONE]\n\n")
    with provider.stream(question) as running:
        next(running)
        finished.close()
        assert [part.text for part in running] == ["b", ""]
