"""How often and how many at once, in front of real prompts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest

from portal.database import db
from portal.limits import defaults
from portal.vault.models import AuthToken
from tests.answering import Asked
from tests.limits.conftest import Program, SetLimits
from tests.model_server import MODEL, Answer, ModelServer, completion
from tests.people import People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor, Visitor
from tests.serving.keys import make_key

ORIGIN = {"Origin": "https://shop.example"}
SECONDS = 3.0


@pytest.fixture
def guide(make_visitor: MakeVisitor, model_server: ModelServer) -> Visitor:
    return make_visitor(provider="vendor", default_model=MODEL)


def newest_key(planes: Planes) -> int:
    with planes.worker.app_context():
        return max(db.session.scalars(db.select(AuthToken.id)))


def test_one_address_may_ask_so_often_and_no_other_is_touched(
    guide: Visitor, set_limits: SetLimits, model_server: ModelServer
) -> None:
    set_limits("client", guide.client_id, address_rate=3)
    busy = Program(guide, address="192.0.2.1")
    assert busy.statuses(5) == [200, 200, 200, 429, 429]
    assert Program(guide, address="192.0.2.2").statuses(3) == [200] * 3
    assert len(model_server.asked) == 6
    assert [row.error_code for row in guide.rows()].count("rate_limit") == 2
    assert len(guide.rows()) == 8


def test_the_default_holds_where_nobody_set_a_rate(
    guide: Visitor, model_server: ModelServer
) -> None:
    statuses = Program(guide).statuses(defaults.ADDRESS_RATE + 5)
    # A minute's allowance, and one more for each second that this test took.
    assert statuses.count(429) >= 1
    assert defaults.ADDRESS_RATE <= statuses.count(200) == len(model_server.asked)


def test_one_session_may_ask_so_often_from_wherever(guide: Visitor, set_limits: SetLimits) -> None:
    set_limits("client", guide.client_id, session_rate=2)
    first = Program(guide).ask()
    session = {"X-Session-Key": first.headers["X-Session-Key"]}
    places = [Program(guide, address=f"192.0.2.{number}") for number in range(2, 6)]
    assert [place.ask(headers=session).status_code for place in places] == [200, 429, 429, 429]
    assert Program(guide).ask().status_code == 200, "another session"


def test_a_key_has_its_own_rate_over_all_addresses_and_clients(
    guide: Visitor, make_visitor: MakeVisitor, planes: Planes, set_limits: SetLimits
) -> None:
    first = make_key(guide)
    set_limits("key", newest_key(planes), key_rate=3)
    second = make_key(guide, "another")
    set_limits("client", guide.client_id, address_rate=1, session_rate=1)
    programs = [Program(guide, first, f"192.0.2.{number}") for number in range(5)]
    assert [one.ask().status_code for one in programs] == [200, 200, 200, 429, 429]
    assert Program(guide, second).statuses(3) == [200] * 3


def test_a_program_is_told_when_to_come_back_and_pages_of_other_origins_may_read_it(
    guide: Visitor, set_limits: SetLimits
) -> None:
    set_limits("client", guide.client_id, address_rate=1)
    program = Program(guide)
    program.ask()
    answer = program.ask(headers=ORIGIN)
    assert answer.status_code == 429
    assert 58 <= int(answer.headers["Retry-After"]) <= 60
    assert "x-should-retry" not in answer.headers
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
    assert "retry-after" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.get_json()["error"]["type"] == "requests"
    assert "Send the next one in" in answer.get_json()["error"]["message"]


def test_the_component_and_the_page_read_a_sentence(guide: Visitor, set_limits: SetLimits) -> None:
    set_limits("client", guide.client_id, address_rate=1)
    assert "smarter_error" not in guide.prompt("hello", headers=ORIGIN)
    body = {"messages": [{"role": "user", "content": "hello"}]}
    answer = guide.ask("POST", "/prompt/", json=body, headers=ORIGIN)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
    told = json.loads(answer.get_json()["data"]["body"])
    assert "too many messages" in told["smarter_error"]["message"]
    page = guide.ask("POST", "/", data={"message": "hello"})
    assert page.status_code == 429
    assert "too many messages" in page.text


class Held:
    """Prompts that wait in the provider until `end`."""

    def __init__(self, server: ModelServer) -> None:
        self._server, self._go_on = server, threading.Event()
        self._threads: list[threading.Thread] = []
        self.statuses: list[int] = []
        server.respond = self._respond

    def _respond(self, _: Asked) -> Answer:
        self._go_on.wait(20)
        return completion()

    def begin(self, ask: Callable[[], int], count: int) -> None:
        """So many more, until they have arrived."""
        before = len(self._server.asked)
        started = [
            threading.Thread(target=lambda: self.statuses.append(ask())) for _ in range(count)
        ]
        for thread in started:
            thread.start()
        self._threads += started
        deadline = time.monotonic() + 10
        while len(self._server.asked) < before + count:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def end(self) -> None:
        self._go_on.set()
        for thread in self._threads:
            thread.join(10)


def test_a_client_answers_so_many_at_once_and_the_next_one_when_one_has_ended(
    guide: Visitor, set_limits: SetLimits, model_server: ModelServer
) -> None:
    set_limits("client", guide.client_id, concurrent=3)
    held, program = Held(model_server), Program(guide)
    held.begin(lambda: program.ask().status_code, 3)
    started = time.monotonic()
    refused = program.ask()
    assert time.monotonic() - started < SECONDS
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert "as many people as it can" in refused.get_json()["error"]["message"]
    assert len(model_server.asked) == 3
    held.end()
    assert held.statuses == [200] * 3
    assert program.ask().status_code == 200
    assert [row.error_code for row in guide.rows()].count("too_many_at_once") == 1


def test_an_account_whose_ceiling_is_full_of_slow_answers_slows_no_other(
    guide: Visitor,
    make_visitor: MakeVisitor,
    people: People,
    set_limits: SetLimits,
    model_server: ModelServer,
) -> None:
    other = make_visitor("other", provider="vendor", default_model=MODEL)
    elsewhere = make_visitor("elsewhere", owner=people.charlie)
    set_limits("account", people.alice.account_id, concurrent=8)
    held, program = Held(model_server), Program(guide)
    held.begin(lambda: program.ask().status_code, 8)
    assert Program(other).ask().status_code == 429, "the ceiling is the account's"
    started = time.monotonic()
    assert "smarter_error" not in elsewhere.prompt("hello")
    assert time.monotonic() - started < SECONDS
    held.end()
    assert held.statuses == [200] * 8


def test_a_failed_answer_makes_room_too(
    guide: Visitor, set_limits: SetLimits, model_server: ModelServer
) -> None:
    set_limits("client", guide.client_id, concurrent=1)
    model_server.respond = lambda asked: (401, "application/json", "{}")
    assert Program(guide).statuses(3) == [502, 502, 502]
