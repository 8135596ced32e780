"""A client whose ceiling is full of slow answers: the real web server goes on for all others."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.limits import defaults
from tests.faults.patience import Guest, PatientVendor
from tests.kill.admin import Admin
from tests.kill.running_portal import LOOPBACK, RunningPortal, running_portal, wait_until
from tests.model_server import MODEL

# About one process and its sockets, whatever the database.
pytestmark = pytest.mark.engine_independent

SECONDS = 2.0
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}], "stream": True}
CHAT = "/v1/chat/completions"


@pytest.fixture
def vendor() -> Iterator[PatientVendor]:
    made = PatientVendor()
    yield made
    made.stop()


def hosts_of(portal: RunningPortal) -> dict[str, str]:
    """The open addresses, by the names of their clients."""
    query = "SELECT c.name, h.hostname FROM llm_client_hosts h"
    query += " JOIN llm_clients c ON c.id = h.llm_client_id WHERE h.is_open"
    return {str(name): str(host) for name, host in portal.rows(query)}


def timed(portal: RunningPortal, host: str, method: str, path: str, body: str = "") -> str:
    """The page of a 200, which was there in time."""
    connection = http.client.HTTPConnection(LOOPBACK, portal.port, timeout=20)
    started = time.monotonic()
    try:
        connection.request(method, path, body or None, {"Host": f"{host}:{portal.port}"})
        response = connection.getresponse()
        page = response.read().decode()
    finally:
        connection.close()
    assert response.status == 200, page
    assert time.monotonic() - started < SECONDS
    return page


def test_two_hundred_slow_answers_of_one_client_slow_nobody_else(
    tmp_path: Path, vendor: PatientVendor
) -> None:
    with running_portal(tmp_path) as portal:
        admin = Admin(portal)
        own = {"name": "vendor", "base_url": vendor.base_url, "default_model": MODEL}
        admin.fill("/providers/new?vendor=own", **own)
        slow = admin.create("slow", provider="vendor", default_model=MODEL)
        admin.fill(f"{slow}limits/edit", address_rate="10000")
        admin.deploy(slow)
        admin.deploy(admin.create("quick"))
        wait_until(lambda: len(hosts_of(portal)) == 2, 30)
        hosts = hosts_of(portal)
        guests = []
        for number in range(defaults.CLIENT_CONCURRENT):
            guests.append(Guest(portal, hosts["slow"], CHAT, ASKED))
            if number % 5 == 4:  # as many as the provider's queue takes
                wait_until(lambda most=number: len(vendor.requests) > most, 10)
        refused = Guest(portal, hosts["slow"], CHAT, ASKED)
        assert refused.status() == 429
        question = json.dumps({"messages": [{"role": "user", "content": "Still there?"}]})
        assert "Still there?" in timed(portal, hosts["quick"], "POST", "/prompt/", question)
        timed(portal, hosts["quick"], "GET", "/")
        timed(portal, "localhost", "GET", "/login")
        assert len(vendor.requests) == defaults.CLIENT_CONCURRENT
        for guest in [*guests, refused]:
            guest.leaves()
        left = "SELECT count(*) FROM llm_client_requests WHERE error_code = 'visitor_left'"
        wait_until(lambda: portal.rows(left) == [(defaults.CLIENT_CONCURRENT,)], 10)
        reserved = "SELECT count(*) FROM budget_reservations"
        wait_until(lambda: portal.rows(reserved) == [(0,)], 5)
