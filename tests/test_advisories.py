"""The command that looks for known weaknesses of what is pinned, against a service of ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests import advisories, sbom

pytestmark = pytest.mark.engine_independent

NOW = datetime(2026, 11, 30, tzinfo=UTC)


class Service(ThreadingHTTPServer):
    """Knows the weaknesses in `known`: by package, how many days and how grave."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.known: dict[str, tuple[int, str]] = {}
        self.asked: list[dict[str, Any]] = []


class _Requests(BaseHTTPRequestHandler):
    server: Service

    def log_message(self, *arguments: Any) -> None:
        """Quiet."""

    def do_POST(self) -> None:  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked += body["queries"]
        names = [query["package"]["name"] for query in body["queries"]]
        known = self.server.known
        self._answer({"results": [{"vulns": [{"id": n}]} if n in known else {} for n in names]})

    def do_GET(self) -> None:  # noqa: N802
        name = self.path.rpartition("/")[2]
        days, gravity = self.server.known[name]
        since = (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")
        more = {"database_specific": {"severity": gravity}} if gravity else {}
        self._answer({"id": name, "published": since, **more})

    def _answer(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()
    thread = threading.Thread(target=found.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join(5)


def run(service: Service) -> int:
    root = f"http://127.0.0.1:{service.server_address[1]}"
    return advisories.main(advisories.over_the_network(root), NOW)


@pytest.mark.parametrize(
    ("days", "gravity", "code"),
    [
        (6, "CRITICAL", 0),
        (8, "CRITICAL", 1),
        (8, "HIGH", 1),
        (8, "", 1),
        (8, "MODERATE", 0),
        (31, "LOW", 1),
    ],
)
def test_what_is_overdue_ends_with_1(
    days: int, gravity: str, code: int, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.known["flask"] = (days, gravity)
    assert run(service) == code
    told = capsys.readouterr().out
    assert ("OVERDUE" in told) is bool(code)
    assert "flask" in told


def test_every_pin_is_asked_for_in_one_question(service: Service) -> None:
    assert run(service) == 0
    asked = {(query["package"]["name"], query["version"]) for query in service.asked}
    assert asked == {pin for file in sbom.SCOPES for pin in sbom.pins(file)}


def test_without_a_network_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = advisories.over_the_network("http://127.0.0.1:1")
    assert advisories.main(nowhere, NOW) == 0
    assert "Nobody could be asked" in capsys.readouterr().out
