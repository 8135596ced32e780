"""A machine behind a good certificate that says whom it answers for."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from portal.tls.local import LocalIssuer
from tests.custom_domains.laboratory import EDGE, HOST, host

OURS, THEIRS = "k" * 20, "m" * 20
OPEN = host(client_public_id=OURS, is_open=True)
WhoAnswers = Callable[..., tuple[int, str]]
asked_as: list[str | None] = []


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asks may hang up."""


def _handler(said: str, status: int, pause: float) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked_as.append(self.headers["Host"])
            self.send_response(status if self.path == "/.well-known/llm-client" else 404)
            self.send_header("Location", "https://elsewhere.test/")
            self.end_headers()
            for letter in said:
                time.sleep(pause)
                self.wfile.write(letter.encode())

        def log_message(self, *arguments: Any) -> None: ...

    return Handler


@pytest.fixture
def who_answers(tmp_path: Path) -> Iterator[WhoAnswers]:
    """Start one that says `said`, a letter each `pause` seconds; its port and its roots."""
    running: list[tuple[_Server, threading.Thread]] = []
    asked_as.clear()

    def start(
        said: str, status: int = 200, *, name: str = HOST, pause: float = 0
    ) -> tuple[int, str]:
        issuer = LocalIssuer(tmp_path / "tls")
        issued = issuer.request((name,), datetime.now(UTC), {})
        file = tmp_path / f"{name}.pem"
        file.write_text(issued.chain_pem + issued.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        server = _Server((EDGE, 0), _handler(said, status, pause))
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread))
        return server.server_port, issuer.roots_pem()

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()
