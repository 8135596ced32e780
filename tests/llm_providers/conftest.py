"""A provider that misbehaves on demand, over real sockets."""

import contextlib
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal.llm_providers import ChatRequest
from portal.llm_providers.demo_server import DemoProviderServer
from portal.llm_providers.openai_compatible import OpenAICompatibleProvider

KEY = "sk-account-0123456789abcdef"
OK = "HTTP/1.1 200 OK\r\n"


class MisbehavingProvider:
    """Answers each request with `answer`: octets, or a function that gets the connection's file.

    Counts connections; remembers requests; `hung_up` is set once the client left early.
    """

    def __init__(self) -> None:
        self.answer: bytes | Callable[[Any], None] = b""
        self.connections = 0
        self.requests: list[dict[str, Any]] = []
        self.hung_up = threading.Event()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 5

            def handle(self) -> None:
                outer.connections += 1
                with contextlib.suppress(OSError):
                    while self.serve_one():
                        pass

            def serve_one(self) -> bool:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline()
                    if not line:
                        return False
                    head += line
                fields = dict(
                    line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line
                )
                body = json.loads(self.rfile.read(int(fields["Content-Length"])))
                outer.requests.append({"head": fields, "line": head.split(b"\r\n")[0], **body})
                answer = outer.answer
                if callable(answer):
                    answer(self)
                    return False
                self.wfile.write(answer)
                return b"Content-Length" in answer or b"chunked" in answer

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def says(
        self, status: str, body: str | bytes, *headers: str, kind: str = "application/json"
    ) -> None:
        octets = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(octets)}"]
        self.answer = "\r\n".join([*lines, *headers, "", ""]).encode() + octets

    def streams(
        self, *events: str, end: str = "data: [DONE]\n\n", kind: str = "text/event-stream"
    ) -> None:
        body = "".join(f"data: {event}\n\n" for event in events) + end
        self.says("200 OK", body, kind=kind)

    def drips(self, *pieces: str, pause: float = 0.02, forever: bool = False) -> None:
        """Answer in pieces; with `forever`, repeat the last one until the client is gone."""

        def answer(handler: Any) -> None:
            try:
                for piece in pieces:
                    handler.wfile.write(piece.encode())
                    time.sleep(pause)
                while forever:
                    handler.wfile.write(pieces[-1].encode())
                    time.sleep(pause)
            except OSError:
                self.hung_up.set()

        self.answer = answer

    def falls_silent(self, *pieces: str) -> None:
        """Send these pieces, then nothing until the client hangs up."""

        def answer(handler: Any) -> None:
            for piece in pieces:
                handler.wfile.write(piece.encode())
            with contextlib.suppress(OSError):
                handler.connection.recv(1)
            self.hung_up.set()

        self.answer = answer


@pytest.fixture
def vendor() -> Iterator[MisbehavingProvider]:
    provider = MisbehavingProvider()
    yield provider
    provider.stop()


@pytest.fixture
def client(vendor: MisbehavingProvider) -> Callable[..., OpenAICompatibleProvider]:
    def make(**settings: Any) -> OpenAICompatibleProvider:
        given = {"allow_private_addresses": True, "read_timeout": 0.3, **settings}
        return OpenAICompatibleProvider(vendor.base_url, KEY, **given)

    return make


@pytest.fixture
def question() -> ChatRequest:
    messages = (
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": "Ahoy?"},
    )
    return ChatRequest("some-model", messages, temperature=0.5, max_tokens=64)


@pytest.fixture
def demo() -> Iterator[DemoProviderServer]:
    server = DemoProviderServer("127.0.0.1", 0, token_delay=0.001)
    server.start()
    yield server
    server.stop()
