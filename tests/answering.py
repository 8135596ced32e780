"""A server on loopback that answers as it is told, for whatever asks over HTTP."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

JSON = "application/json"


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


Respond = Callable[[Asked], tuple[int, str, str]]


class AnsweringServer(ThreadingHTTPServer):
    """`respond` gives status, content type and body; `drip_seconds` waits between its bytes."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.respond: Respond = lambda asked: (200, JSON, "{}")
        self.headers: dict[str, str] = {}
        self.drip_seconds = 0.0
        self.asked: list[Asked] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answers(self, content: Any, status: int = 200, kind: str = JSON) -> None:
        """From now on the same to everybody: text as it is, the rest as JSON."""
        body = content if isinstance(content, str) else json.dumps(content)
        self.respond = lambda asked: (status, kind, body)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up on us is part of the test."""


class _Handler(BaseHTTPRequestHandler):
    server: AnsweringServer

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        asked = Asked(self.command, self.path, dict(self.headers), body)
        self.server.asked.append(asked)
        status, kind, text = self.server.respond(asked)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text.encode())))
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send(text.encode())

    do_POST = do_GET

    def _send(self, body: bytes) -> None:
        if not self.server.drip_seconds:
            self.wfile.write(body)
            return
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(self.server.drip_seconds)

    def log_message(self, *words: object) -> None:
        return
