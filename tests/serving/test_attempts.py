"""A provider that fails: asked again, replaced by another model, left alone for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal.errors import AdapterError
from portal.llm_providers import ChatRequest
from portal.serving.attempts import Attempts
from portal.serving.breakers import MOST_FAILURES, OPEN_SECONDS, Breakers
from portal.serving.endpoints import Endpoint
from portal.serving.hang_ups import HangUp
from tests.answering import Asked
from tests.model_server import MODEL, Answer, ModelServer, completion, refusal, stream
from tests.people import People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(planes: Planes) -> Iterator[Clock]:
    """The breakers' clock; every test begins with breakers that are closed."""
    made, before = Clock(), planes.serving.extensions.get("portal_breakers")
    planes.serving.extensions["portal_breakers"] = Breakers(clock=made)
    yield made
    planes.serving.extensions["portal_breakers"] = before or Breakers()


@pytest.fixture
def guide(make_visitor: MakeVisitor, model_server: ModelServer, clock: Clock) -> Visitor:
    """A client of the one provider, without a fallback."""
    return make_visitor(provider="vendor", default_model=MODEL)


@pytest.fixture
def backed(
    make_visitor: MakeVisitor,
    model_server: ModelServer,
    second_server: ModelServer,
    clock: Clock,
) -> Visitor:
    """A client whose fallback is another provider's model."""
    return make_visitor(
        provider="vendor",
        default_model=MODEL,
        fallback_provider="spare",
        fallback_model="small-model",
    )


def ask(visitor: Visitor, **fields: Any) -> Any:
    """One prompt of a program, from an address of its own."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}], **fields}
    return visitor.ask("POST", "/v1/chat/completions", json=body)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_passing_fault_is_asked_again(
    guide: Visitor, model_server: ModelServer, status: int
) -> None:
    model_server.plays(refusal(status), refusal(status), completion())
    assert ask(guide).status_code == 200
    assert len(model_server.asked) == 3
    assert len({asked.body for asked in model_server.asked}) == 1
    (row,) = guide.rows()
    assert (row.status, row.tokens_in, row.tokens_out) == (200, 7, 2)
    attempts = (row.response or {})["attempts"]
    assert [one["provider"] for one in attempts] == ["vendor", "vendor"]
    assert str(status) in attempts[0]["detail"]


def test_three_times_is_enough(guide: Visitor, model_server: ModelServer) -> None:
    model_server.plays(refusal(503))
    assert ask(guide).status_code == 503
    assert len(model_server.asked) == 3
    (row,) = guide.rows()
    assert (row.status, row.error_code) == (503, "unavailable")
    assert len((row.response or {})["attempts"]) == 3


def test_a_provider_that_cannot_be_reached_is_tried_again(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.shutdown()
    model_server.socket.close()
    assert ask(guide).status_code == 503
    (row,) = guide.rows()
    assert row.error_code == "unreachable"
    assert len((row.response or {})["attempts"]) == 3


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_what_is_our_own_fault_is_not_repeated(
    guide: Visitor, model_server: ModelServer, status: int
) -> None:
    model_server.plays(refusal(status))
    assert ask(guide).status_code == 502
    assert len(model_server.asked) == 1
    assert len(guide.rows()) == 1


def test_the_provider_says_when_to_come_back(guide: Visitor, model_server: ModelServer) -> None:
    model_server.headers["Retry-After"] = "1"
    model_server.plays(refusal(429), completion())
    started = time.monotonic()
    assert ask(guide).status_code == 200
    assert time.monotonic() - started >= 1
    assert len(model_server.asked) == 2


def test_one_that_wants_a_long_rest_is_not_waited_for(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.headers["Retry-After"] = "6"
    model_server.plays(refusal(429), completion())
    started = time.monotonic()
    answer = ask(guide)
    assert time.monotonic() - started < 1
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "6"
    assert len(model_server.asked) == 1


def test_a_long_rest_is_spent_with_the_other_model(
    backed: Visitor, model_server: ModelServer, second_server: ModelServer
) -> None:
    model_server.headers["Retry-After"] = "600"
    model_server.plays(refusal(429))
    assert ask(backed).status_code == 200
    assert (len(model_server.asked), len(second_server.asked)) == (1, 1)


def test_nothing_is_repeated_after_the_first_word(
    backed: Visitor, model_server: ModelServer, second_server: ModelServer
) -> None:
    model_server.plays(stream("Once upon", is_cut=True))
    told = ask(backed, stream=True).text
    assert "Once upon" in told
    assert '"error"' in told
    assert "[DONE]" not in told
    assert (len(model_server.asked), len(second_server.asked)) == (1, 0)
    (row,) = backed.rows()
    assert (row.status, row.error_code, row.answer_preview) == (502, "cut", "Once upon")


def test_a_stream_that_fails_before_its_first_word_is_asked_again(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.plays(refusal(500), stream("Once ", "upon"))
    told = ask(guide, stream=True).text
    assert told.count("Once ") == 1
    assert "[DONE]" in told
    assert len(model_server.asked) == 2


def test_the_fallback_model_answers_and_the_row_tells_of_both(
    backed: Visitor, model_server: ModelServer, second_server: ModelServer
) -> None:
    model_server.plays(refusal(401))
    answer = ask(backed)
    assert answer.status_code == 200
    assert (len(model_server.asked), len(second_server.asked)) == (1, 1)
    assert second_server.requests[0]["model"] == "small-model"
    (row,) = backed.rows()
    assert (row.status, row.provider) == (200, "spare")
    (attempt,) = (row.response or {})["attempts"]
    assert (attempt["provider"], attempt["model"]) == ("vendor", MODEL)
    assert attempt["reason"] == "refused"
    assert attempt["milliseconds"] >= 0


def test_the_fallback_is_paid_at_its_own_price(
    make_visitor: MakeVisitor,
    model_server: ModelServer,
    second_server: ModelServer,
    clock: Clock,
) -> None:
    visitor = make_visitor(
        provider="vendor",
        default_model=MODEL,
        fallback_provider="spare",
        fallback_model=MODEL,
    )
    model_server.plays(refusal(401), completion())
    ask(visitor)
    ask(visitor)
    assert [(row.provider, row.cost_micros) for row in visitor.rows()] == [
        ("spare", 6),  # 5.5, rounded up
        ("vendor", 11),
    ]
    assert {row.price_version for row in visitor.rows()} == {"own"}


def test_a_prompt_that_the_provider_cannot_read_is_not_sent_to_another(
    backed: Visitor, model_server: ModelServer, second_server: ModelServer
) -> None:
    model_server.plays(refusal(400))
    assert ask(backed).status_code == 502
    assert (len(model_server.asked), len(second_server.asked)) == (1, 0)


def test_when_both_fail_the_last_failure_is_told(
    backed: Visitor, model_server: ModelServer, second_server: ModelServer
) -> None:
    model_server.plays(refusal(401))
    second_server.plays(refusal(503))
    assert ask(backed).status_code == 503
    assert (len(model_server.asked), len(second_server.asked)) == (1, 3)
    (row,) = backed.rows()
    assert len((row.response or {})["attempts"]) == 4


def test_after_five_failures_the_provider_is_left_alone_for_half_a_minute(
    guide: Visitor, model_server: ModelServer, clock: Clock
) -> None:
    model_server.plays(refusal(503))
    ask(guide)
    ask(guide)
    assert len(model_server.asked) == MOST_FAILURES, "the sixth was not asked any more"
    answer = ask(guide)
    assert len(model_server.asked) == MOST_FAILURES
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert guide.rows()[-1].error_code == "unavailable"
    assert "Not asked" in guide.rows()[-1].error_text

    clock.now += OPEN_SECONDS - 0.5
    assert ask(guide).status_code == 503
    assert len(model_server.asked) == MOST_FAILURES

    clock.now += 1
    assert ask(guide).status_code == 503
    assert len(model_server.asked) == MOST_FAILURES + 1, "one is let through, and not repeated"
    assert ask(guide).status_code == 503
    assert len(model_server.asked) == MOST_FAILURES + 1

    clock.now += OPEN_SECONDS + 1
    model_server.plays(completion())
    assert ask(guide).status_code == 200
    assert ask(guide).status_code == 200
    assert len(model_server.asked) == MOST_FAILURES + 3, "one good answer closes it"


def test_of_those_who_wait_for_the_end_of_the_half_minute_one_is_let_through(
    guide: Visitor, model_server: ModelServer, clock: Clock
) -> None:
    model_server.plays(refusal(503))
    ask(guide)
    ask(guide)
    clock.now += OPEN_SECONDS + 1
    before, go_on = len(model_server.asked), threading.Event()

    def hold(_: Asked) -> Answer:
        go_on.wait(10)
        return completion()

    model_server.respond = hold
    statuses: list[int] = []
    first = threading.Thread(target=lambda: statuses.append(ask(guide).status_code))
    first.start()
    until(lambda: len(model_server.asked) == before + 1)
    assert [ask(guide).status_code for _ in range(3)] == [503] * 3
    go_on.set()
    first.join(10)
    assert statuses == [200]
    assert len(model_server.asked) == before + 1
    assert ask(guide).status_code == 200


def until(fulfilled: Callable[[], bool]) -> None:
    for _ in range(200):
        if fulfilled():
            return
        time.sleep(0.02)
    pytest.fail("not within 4 s")


def test_the_fallback_answers_at_once_while_the_first_is_left_alone(
    backed: Visitor, model_server: ModelServer, second_server: ModelServer
) -> None:
    model_server.plays(refusal(503))
    for _ in range(4):
        assert ask(backed).status_code == 200
    assert (len(model_server.asked), len(second_server.asked)) == (MOST_FAILURES, 4)


def test_refusals_that_are_our_own_fault_open_nothing(
    guide: Visitor, model_server: ModelServer
) -> None:
    model_server.plays(refusal(401))
    for _ in range(MOST_FAILURES + 2):
        ask(guide)
    assert len(model_server.asked) == MOST_FAILURES + 2


def test_the_fault_of_one_accounts_provider_leaves_the_others_alone(
    guide: Visitor,
    make_visitor: MakeVisitor,
    model_server: ModelServer,
    planes: Planes,
    people: People,
) -> None:
    model_server.plays(refusal(503))
    ask(guide)
    ask(guide)
    with ModelServer() as theirs:
        theirs.is_provider(planes, people.charlie)
        elsewhere = make_visitor(
            "elsewhere", owner=people.charlie, provider="vendor", default_model=MODEL
        )
        assert ask(elsewhere).status_code == 200
    assert ask(guide).status_code == 503


REQUEST = ChatRequest(MODEL, ({"role": "user", "content": "hello"},), max_tokens=20)


def attempts_at(
    server: ModelServer, planes: Planes, breakers: Breakers, hang_up: HangUp
) -> tuple[Attempts, Endpoint]:
    endpoint = Endpoint("vendor", MODEL, f"{server.url}/v1")
    chat_provider = planes.serving.extensions["portal_adapters"].chat_provider
    return Attempts([endpoint], chat_provider, breakers, hang_up), endpoint


def test_a_visitor_who_leaves_says_nothing_about_the_provider(
    planes: Planes, model_server: ModelServer, clock: Clock
) -> None:
    breakers, hang_up, go_on = Breakers(clock), HangUp(), threading.Event()
    attempts, endpoint = attempts_at(model_server, planes, breakers, hang_up)
    for _ in range(MOST_FAILURES - 1):
        breakers.failed(endpoint.identity)

    def hold(_: Asked) -> Answer:
        hang_up.leave()
        go_on.wait(10)
        return completion()

    model_server.respond = hold
    with pytest.raises(AdapterError):
        list(attempts.parts(REQUEST, whole=True))
    go_on.set()
    assert len(model_server.asked) == 1, "nobody is there for a repetition"
    assert breakers.seconds_to_wait(endpoint.identity) == 0
    breakers.failed(endpoint.identity)
    assert breakers.seconds_to_wait(endpoint.identity) == OPEN_SECONDS


def test_for_a_visitor_who_has_left_nothing_is_asked(
    planes: Planes, model_server: ModelServer, clock: Clock
) -> None:
    hang_up = HangUp()
    hang_up.leave()
    attempts, _ = attempts_at(model_server, planes, Breakers(clock), hang_up)
    with pytest.raises(AdapterError):
        list(attempts.parts(REQUEST, whole=True))
    assert model_server.asked == []
    assert not attempts.was_asked


def test_one_on_trial_that_breaks_inside_leaves_the_trial_to_the_next(
    planes: Planes, clock: Clock
) -> None:
    breakers, endpoint = Breakers(clock), Endpoint("vendor", MODEL)

    def broken(name: str, base_url: str, api_key: str) -> Any:
        raise ZeroDivisionError

    for _ in range(MOST_FAILURES):
        breakers.failed(endpoint.identity)
    clock.now += OPEN_SECONDS + 1
    with pytest.raises(ZeroDivisionError):
        list(Attempts([endpoint], broken, breakers, HangUp()).parts(REQUEST, whole=True))
    assert breakers.seconds_to_wait(endpoint.identity) == 0
