"""Visitors who leave the real web server: the provider is hung up on, and one row tells of it."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from tests.faults.patience import Guest, PatientVendor
from tests.kill.admin import Admin
from tests.kill.conftest import another_database
from tests.kill.running_portal import LOOPBACK, RunningPortal, running_portal, wait_until
from tests.model_server import MODEL, call, stream

SECONDS = 2.0
CALLED = stream("Let me see.", calls=[call("calculator", {"expression": "2 + 2"})])[2]


@pytest.fixture(scope="module")
def vendor() -> Iterator[PatientVendor]:
    made = PatientVendor()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def portal(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningPortal]:
    environ = {}
    if request.config.getoption("--database") == "postgresql":
        environ["DATABASE_URL"] = another_database(request.getfixturevalue("postgres_url"))
    with running_portal(tmp_path_factory.mktemp("portal"), **environ) as running:
        yield running


@pytest.fixture(scope="module")
def host(portal: RunningPortal, vendor: PatientVendor) -> str:
    """The address of a client of the vendor's whose model may calculate."""
    admin = Admin(portal)
    admin.fill(
        "/providers/new?vendor=own", name="vendor", base_url=vendor.base_url, default_model=MODEL
    )
    client = {"provider": "vendor", "default_model": MODEL, "functions": ["calculator"]}
    admin.deploy(admin.create("guide", **client))
    hosts = "SELECT hostname FROM llm_client_hosts WHERE is_open"
    wait_until(lambda: bool(portal.rows(hosts)), 30)
    return str(portal.rows(hosts)[0][0])


ROWS = (
    "SELECT status, error_code, answer_preview, tokens_in, tokens_out, CAST(response AS TEXT)"
    " FROM llm_client_requests JOIN llm_client_request_bodies"
    " ON llm_client_request_bodies.id = llm_client_requests.id ORDER BY llm_client_requests.id"
)
ASKED = {"message": "How much?"}
OPENAI = {"model": MODEL, "messages": [{"role": "user", "content": "How much?"}]}
PATHS = {
    "the chat page's stream": ("/stream", ASKED),
    "a program's stream": ("/v1/chat/completions", {**OPENAI, "stream": True}),
    "a program's whole answer": ("/v1/chat/completions", OPENAI),
    "the component": ("/prompt/", {"messages": OPENAI["messages"]}),
}


def row_of_the_guest(portal: RunningPortal, before: int) -> tuple[Any, ...]:
    """The one new row, once it is there; there is no second one."""
    wait_until(lambda: len(portal.rows(ROWS)) > before, 5)
    time.sleep(0.3)
    told = "SELECT id, request_id, created_at, latency_ms FROM llm_client_requests ORDER BY id"
    assert len(portal.rows(ROWS)) == before + 1, portal.rows(told)
    return portal.rows(ROWS)[-1]


def is_settled(portal: RunningPortal) -> bool:
    """Whether nothing is reserved, and the sum is what the rows say."""
    reserved = portal.rows("SELECT count(*) FROM budget_reservations")
    sums = portal.rows("SELECT tokens, reserved_tokens FROM budget_uses")
    used = portal.rows("SELECT sum(tokens_in + tokens_out) FROM llm_client_requests")
    return reserved == [(0,)] and sums == [(used[0][0], 0)]


def what_is_reserved(portal: RunningPortal) -> str:
    """All that `is_settled` looks at, and what the processes said last."""
    return "\n".join(
        (
            repr(portal.rows("SELECT * FROM budget_reservations")),
            repr(portal.rows("SELECT * FROM budget_uses")),
            repr(portal.rows("SELECT sum(tokens_in + tokens_out) FROM llm_client_requests")),
            portal.output.read_text()[-4000:],
        )
    )


@pytest.mark.parametrize("path", PATHS)
def test_a_visitor_leaves_while_the_provider_is_silent(
    portal: RunningPortal, vendor: PatientVendor, host: str, path: str
) -> None:
    vendor.begin()
    before = len(portal.rows(ROWS))
    guest = Guest(portal, host, *PATHS[path])
    assert vendor.waits.wait(10)
    gone_at = guest.leaves()
    assert vendor.left.wait(10), "the provider thinks for nobody"
    assert vendor.left_at - gone_at < SECONDS
    status, code, said, tokens_in, tokens_out, _ = row_of_the_guest(portal, before)
    assert (status, code, said) == (499, "visitor_left", "")
    assert tokens_in > 0, "the provider had read it all"
    assert tokens_out == 0
    wait_until(lambda: is_settled(portal), 5)
    assert len(vendor.requests) == 1, "nothing was tried again"


@pytest.mark.parametrize("path", ["the chat page's stream", "a program's stream"])
def test_a_visitor_leaves_in_the_middle_of_a_stream(
    portal: RunningPortal, vendor: PatientVendor, host: str, path: str
) -> None:
    vendor.begin(words="Once upon a time")
    before = len(portal.rows(ROWS))
    guest = Guest(portal, host, *PATHS[path])
    guest.reads("Once upon a time")
    gone_at = guest.leaves()
    assert vendor.left.wait(10)
    assert vendor.left_at - gone_at < SECONDS
    status, code, said, tokens_in, tokens_out, response = row_of_the_guest(portal, before)
    assert (status, code, said) == (499, "visitor_left", "Once upon a time")
    assert json.loads(response)["text"] == "Once upon a time"
    assert tokens_in > 0
    assert tokens_out == 4, "16 letters"
    wait_until(lambda: is_settled(portal), 5)
    assert len(vendor.requests) == 1


@pytest.mark.parametrize("path", ["the chat page's stream", "a program's whole answer"])
def test_a_visitor_leaves_between_two_rounds_of_tools(
    portal: RunningPortal, vendor: PatientVendor, host: str, path: str
) -> None:
    vendor.begin(CALLED)
    before = len(portal.rows(ROWS))
    guest = Guest(portal, host, *PATHS[path])
    assert vendor.waits.wait(10)
    gone_at = guest.leaves()
    assert vendor.left.wait(10)
    assert vendor.left_at - gone_at < SECONDS
    status, code, said, tokens_in, _, response = row_of_the_guest(portal, before)
    assert (status, code, said) == (499, "visitor_left", "Let me see.")
    told = json.loads(response)["tools_called"]
    assert [(one["name"], one["result"]) for one in told] == [("calculator", "2 + 2 = 4")]
    assert tokens_in > 7, "the first round by its usage, the second by an estimate"
    wait_until(lambda: is_settled(portal), 5)
    assert len(vendor.requests) == 2


def test_nobody_is_taken_for_gone_who_waits(
    portal: RunningPortal, vendor: PatientVendor, host: str
) -> None:
    before = len(portal.rows(ROWS))
    vendor.begin(words="Once")
    guest = Guest(portal, host, *PATHS["the chat page's stream"])
    guest.reads("Once")
    assert not vendor.left.wait(SECONDS)
    assert len(portal.rows(ROWS)) == before
    guest.leaves()
    row_of_the_guest(portal, before)


def test_a_connection_that_is_kept_serves_the_next_prompt(
    portal: RunningPortal, vendor: PatientVendor, host: str
) -> None:
    answer = stream("Fine.")[2]
    before = len(portal.rows(ROWS))
    vendor.begin(answer, answer)
    body = json.dumps({**OPENAI, "stream": False})
    request = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}:{portal.port}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    with socket.create_connection((LOOPBACK, portal.port), timeout=20) as kept:
        for _ in range(2):
            kept.sendall(request.encode())
            read = b""
            while b"total_tokens" not in read:
                piece = kept.recv(65_536)
                assert piece, read
                read += piece
    assert [row[0] for row in portal.rows(ROWS)[before:]] == [200, 200]


def test_a_guest_who_left_makes_room_at_the_ceiling(portal: RunningPortal, host: str) -> None:
    with portal.redis() as connection:
        wait_until(lambda: connection.keys("portal:limit:c:*") == [], 2)


def test_what_a_killed_process_had_reserved_is_given_back_by_the_clock(
    portal: RunningPortal, vendor: PatientVendor, host: str
) -> None:
    vendor.begin()
    before = len(portal.rows(ROWS))
    guest = Guest(portal, host, *PATHS["a program's whole answer"])
    assert vendor.waits.wait(10)
    assert portal.signal("web worker", signal.SIGKILL)
    wait_until(portal.is_healthy, 30)
    guest.leaves()
    assert len(portal.rows("SELECT id FROM budget_reservations")) == 1
    assert portal.rows("SELECT reserved_tokens FROM budget_uses")[0][0] > 0
    with portal.engine.begin() as connection:
        connection.execute(text("UPDATE budget_reservations SET expires_at = created_at"))
    wait_until(lambda: is_settled(portal), 60, lambda: what_is_reserved(portal))
    assert len(portal.rows(ROWS)) == before, "nobody knows what it used"
