"""Whatever a provider does, the visitor reads one sentence and one row tells the truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db
from portal.llm_providers.openai_compatible import OpenAICompatibleProvider
from portal.providers.models import Provider
from portal.request_history.models import LLMClientRequests
from tests.faults.vendor import Vendor, part
from tests.people import MakeClient, People
from tests.planes import Planes

SILENCE_SECONDS = 1.0  # on a busy machine a vendor needs a while to say anything
OK = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = {"role": "assistant", "content": "Once upon a time"}
END = "data: [DONE]\n\n"
BAD_DAYS: dict[str, tuple[Callable[[Vendor], None], int, str]] = {
    "silent": (Vendor.keeps_silent, 504, "timeout"),
    "429": (lambda v: v.answers("429 Too Many", '{"error": {}}'), 429, "rate_limited"),
    "500": (lambda v: v.answers("500 Oops", "<h1>Oops</h1>", "text/html"), 503, "unavailable"),
    "401": (lambda v: v.answers("401 No", '{"error": {"message": "key?"}}'), 502, "refused"),
    "not JSON": (lambda v: v.answers("200 OK", "<html>hello</html>"), 502, "malformed"),
    "empty": (lambda v: v.answers("200 OK", ""), 502, "malformed"),
    "wrong types": (lambda v: v.answers("200 OK", '{"choices": {"a": 1}}'), 502, "malformed"),
    "hangs up": (lambda v: v.sends(""), 503, "unavailable"),
    "cut": (lambda v: v.sends(f"{OK}Content-Length: 999\r\n\r\n", '{"choices": ['), 502, "cut"),
}


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    yield made
    made.stop()


@pytest.fixture
def base(
    planes: Planes,
    people: People,
    make_client: MakeClient,
    run_jobs: Callable[..., int],
    vendor: Vendor,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The address of a deployed client of this vendor; its silences are cut short."""
    with planes.worker.app_context():
        account = db.session.get_one(Account, people.alice.account_id)
        provider = Provider(account_id=account.id, name="vendor", base_url=vendor.base_url)
        db.session.add(provider)
        db.session.commit()
    path = f"/llm-clients/{make_client('story', provider='vendor')}/"
    browser = people.browser(people.alice)
    browser.post(path + "deploy", {"confirm": "yes"})
    run_jobs()
    adapters = planes.serving.extensions["portal_adapters"]
    monkeypatch.setitem(
        planes.serving.extensions, "portal_adapters", replace(adapters, chat_provider=impatient)
    )
    host = browser.get(path).find("code").get_text().strip()
    return f"http://{host}:{planes.settings.port}"


def impatient(name: str, base_url: str, api_key: str) -> OpenAICompatibleProvider:
    """A provider that is not waited for as long as in life."""
    return OpenAICompatibleProvider(
        base_url, api_key, allow_private_addresses=True, read_timeout=SILENCE_SECONDS
    )


def the_row(planes: Planes) -> LLMClientRequests:
    """The one request that there is."""
    with planes.worker.app_context():
        return db.session.scalars(select(LLMClientRequests)).one()


def ask(planes: Planes, base: str) -> dict[str, Any]:
    """What the chat component gets for a question."""
    sent = {"messages": [{"role": "user", "content": "Tell me a story"}]}
    response = planes.serving.test_client().post("/prompt/", base_url=base, json=sent)
    assert response.status_code == 200, response.get_data(as_text=True)
    body: dict[str, Any] = json.loads(response.get_json()["data"]["body"])
    return body


@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_bad_day_of_the_provider_is_one_sentence_and_one_true_row(
    planes: Planes, vendor: Vendor, base: str, day: str
) -> None:
    behave, status, code = BAD_DAYS[day]
    behave(vendor)
    body = ask(planes, base)
    sentence = body["smarter"]["messages"][0]["content"]
    assert body["choices"] == []
    assert sentence.count(".") in (1, 2)
    assert "127.0.0.1" not in sentence
    row = the_row(planes)
    assert (row.status, row.error_code) == (status, code)
    assert row.error_text
    assert row.request["message"] == "Tell me a story"


@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_stream_ends_with_the_sentence_too(
    planes: Planes, vendor: Vendor, base: str, day: str
) -> None:
    behave, status, code = BAD_DAYS[day]
    behave(vendor)
    response = planes.serving.test_client().post(
        "/stream", base_url=base, json={"message": "Tell me a story"}
    )
    assert response.status_code == 200
    assert response.text.count("event: error") == 1
    assert "event: done" not in response.text
    assert (the_row(planes).status, the_row(planes).error_code) == (status, code)


def test_a_slow_answer_is_an_answer(planes: Planes, vendor: Vendor, base: str) -> None:
    body = json.dumps({"choices": [{"message": WHOLE, "finish_reason": "stop"}]})
    head = f"{OK}Content-Length: {len(body)}\r\n\r\n"
    vendor.sends(head, body[:20], body[20:], pause=SILENCE_SECONDS / 2)
    assert ask(planes, base)["choices"][0]["message"]["content"] == WHOLE["content"]
    assert (the_row(planes).status, the_row(planes).answer_preview) == (200, WHOLE["content"])


def test_a_slow_stream_is_an_answer(planes: Planes, vendor: Vendor, base: str) -> None:
    vendor.streams(part("Once "), part("upon a time", "stop"), END, pause=SILENCE_SECONDS / 2)
    response = planes.serving.test_client().post(
        "/stream", base_url=base, json={"message": "Tell me a story"}
    )
    assert response.text.count("event: delta") == 2
    assert "event: done" in response.text
    assert the_row(planes).answer_preview == "Once upon a time"


def test_what_was_said_before_the_break_is_kept(planes: Planes, vendor: Vendor, base: str) -> None:
    vendor.streams(part("Once upon"))
    response = planes.serving.test_client().post(
        "/stream", base_url=base, json={"message": "Tell me a story"}
    )
    assert "Once upon" in response.text
    assert "event: error" in response.text
    assert "event: done" not in response.text
    assert the_row(planes).response == {"text": "Once upon"}


def test_a_visitor_who_leaves_ends_the_request_at_the_provider_too(
    planes: Planes, vendor: Vendor, base: str
) -> None:
    vendor.streams_for_ever("more ")
    response = planes.serving.test_client().post(
        "/stream", base_url=base, json={"message": "Tell me a story"}, buffered=False
    )
    parts = iter(response.response)
    assert "delta" in str(next(parts))
    response.close()
    assert vendor.left.wait(5), "the provider goes on talking to nobody"
    row = the_row(planes)
    assert (row.status, row.error_code) == (499, "visitor_left")
    assert str((row.response or {}).get("text")).startswith("more ")
