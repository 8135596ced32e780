"""One question over HTTP: kept connections that have gone stale, ends in size, and no redirects."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator

import pytest

from portal.errors import AdapterError
from portal.fetching import fetch
from tests.answering import AnsweringServer

pytestmark = pytest.mark.engine_independent


class ForgetfulServer(socketserver.ThreadingTCPServer):
    """Answers one request on each connection, promises to keep it, and hangs up on the next."""

    daemon_threads = True
    connections = 0

    class _Handler(socketserver.StreamRequestHandler):
        server: ForgetfulServer

        def handle(self) -> None:
            self.server.connections += 1
            self._read_head()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            self._read_head()

        def _read_head(self) -> None:
            while self.rfile.readline() not in (b"\r\n", b""):
                pass

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self._Handler)


@pytest.fixture
def forgetful() -> Iterator[ForgetfulServer]:
    with ForgetfulServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_kept_connection_that_went_stale_is_replaced(
    method: str, forgetful: ForgetfulServer
) -> None:
    url = f"http://127.0.0.1:{forgetful.server_address[1]}/"
    body = b"{}" if method == "POST" else None
    for _ in range(3):
        assert fetch(method, url, allow_private=True, body=body).text == "hi"
    assert forgetful.connections == 3


@pytest.mark.parametrize(("size", "is_read"), [(1000, True), (1001, False)])
def test_an_answer_ends_at_its_limit(size: int, is_read: bool) -> None:
    with AnsweringServer() as server:
        server.answers("x" * size, kind="text/plain; charset=utf-8")
        if is_read:
            found = fetch("GET", server.url, allow_private=True, longest=1000)
            assert (found.status, found.content_type, len(found.body)) == (200, "text/plain", 1000)
            return
        with pytest.raises(AdapterError, match="too long"):
            fetch("GET", server.url, allow_private=True, longest=1000)


def test_an_answer_may_be_cut_at_its_limit() -> None:
    with AnsweringServer() as server:
        server.answers("x" * 5000, kind="text/plain")
        found = fetch("GET", server.url, allow_private=True, longest=1000, cut=True)
        assert (found.status, found.body) == (200, b"x" * 1000)


def test_a_redirect_is_an_answer_like_any_other() -> None:
    with AnsweringServer() as server:
        server.answers("", 302)
        server.headers = {"Location": server.url + "/elsewhere"}
        assert fetch("GET", server.url, allow_private=True).status == 302
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:9/", "unreachable"),
        ("http://absent.invalid/", "unreachable"),
        ("file:///etc/passwd", "bad_url"),
        ("http://user:password@127.0.0.1/", "bad_url"),
    ],
)
def test_what_cannot_be_asked_has_a_reason(url: str, reason: str) -> None:
    with pytest.raises(AdapterError) as raised:
        fetch("GET", url, allow_private=True)
    assert raised.value.reason == reason
