"""A provider of models that answers as it is told, over a real socket."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
import time
from collections.abc import Callable
from typing import Any

STREAM = "text/event-stream"


def part(text: str, finish: str | None = None) -> str:
    """One event of a stream as OpenAI sends it."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return f"data: {json.dumps({'model': 'some-model', 'choices': [choice]})}\n\n"


class Vendor:
    """Each connection is answered by `behave`; `left` is set when the asker hung up early.

    `requests` has what was asked, parsed.
    """

    def __init__(self) -> None:
        self.behave: Callable[[Any], None] = lambda connection: None
        self.left = threading.Event()
        self.requests: list[dict[str, Any]] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                length = 0
                while (line := self.rfile.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                body = self.rfile.read(length)
                if body:
                    outer.requests.append(json.loads(body))
                with contextlib.suppress(OSError):
                    outer.behave(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answers(self, status: str, body: str, kind: str = "application/json") -> None:
        """A whole answer."""
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body.encode())}"
        self.sends(f"{head}\r\nConnection: close\r\n\r\n{body}")

    def streams(self, *events: str, pause: float = 0) -> None:
        """A stream of these events, then the end of the connection."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {STREAM}\r\nConnection: close\r\n\r\n"
        self.sends(head, *events, pause=pause)

    def sends(self, *pieces: str, pause: float = 0) -> None:
        def behave(connection: Any) -> None:
            for piece in pieces:
                connection.wfile.write(piece.encode())
                time.sleep(pause)

        self.behave = behave

    def keeps_silent(self) -> None:
        """Accepts, and says nothing until the asker has had enough."""
        self.behave = lambda connection: connection.connection.recv(1)

    def streams_for_ever(self, text: str) -> None:
        """The same part again and again until the asker hangs up."""

        def behave(connection: Any) -> None:
            connection.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Type: {STREAM}\r\n\r\n".encode())
            try:
                while True:
                    connection.wfile.write(part(text).encode())
                    time.sleep(0.01)
            except OSError:
                self.left.set()

        self.behave = behave
