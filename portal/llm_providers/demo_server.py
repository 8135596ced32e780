"""The demo provider: the OpenAI chat protocol over HTTP, on this machine, without a model."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from portal.llm_providers.demo_answers import demo_answer, demo_tool_calls, pieces_of
from portal.llm_providers.demo_protocol import (
    MODEL,
    Refused,
    check,
    completion,
    events,
    limited,
    usage_of,
)

LARGEST_REQUEST = 2 * 1024 * 1024
IDLE_TIMEOUT = 75.0
CONNECTIONS = 512
STOP_POLL = 0.05


class DemoProviderServer:
    """Serves `/v1/chat/completions` and `/v1/models`. `token_delay` in seconds, when streaming."""

    def __init__(self, host: str, port: int, token_delay: float = 0.015) -> None:
        self._server = _Server((host, port), token_delay)
        self.port: int = self._server.server_address[1]
        self.base_url = f"http://{host}:{self.port}/v1"
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Answer in threads of this process; returns at once."""
        self._thread = threading.Thread(target=self.serve_forever, name="demo", daemon=True)
        self._thread.start()

    def serve_forever(self) -> None:
        """Answer until `stop` is called from another thread."""
        self._server.serve_forever(STOP_POLL)

    def stop(self) -> None:
        """Stop answering, hang up on everybody and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        if self._thread is not None:
            self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], token_delay: float) -> None:
        self.token_delay = token_delay
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # not HTTPServer's, which looks up the host's name and may wait for a name server
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def verify_request(self, request: object, client_address: object) -> bool:
        return self._free.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)
            self._free.release()

    def hang_up(self) -> None:
        """End every connection, so that its thread ends too."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A visitor who hangs up is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "DemoProvider"
    sys_version = ""
    timeout = IDLE_TIMEOUT
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path.rstrip("/") == "/v1/models":
            model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "portal"}
            self._send_json(HTTPStatus.OK, {"object": "list", "data": [model]})
        else:
            self._send_error(Refused(HTTPStatus.NOT_FOUND, f"Unknown path {self.path}"))

    def do_POST(self) -> None:
        try:
            self._answer(self._chat_request())
        except Refused as refusal:
            self._send_error(refusal)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: every request is in the portal's history."""

    def _chat_request(self) -> dict[str, Any]:
        body = self._body()
        if self.path.rstrip("/") != "/v1/chat/completions":
            raise Refused(HTTPStatus.NOT_FOUND, f"Unknown path {self.path}")
        try:
            content = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}") from error
        check(content)
        checked: dict[str, Any] = content
        return checked

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_REQUEST:
            self.close_connection = True
            raise Refused(HTTPStatus.BAD_REQUEST, "Content-Length is missing or too large")
        return self.rfile.read(int(length))

    def _answer(self, content: dict[str, Any]) -> None:
        calls = demo_tool_calls(content)
        said = calls[0]["function"]["arguments"] if calls else demo_answer(content["messages"])
        pieces, finish_reason = limited(pieces_of(said), content)
        usage = usage_of(content["messages"], pieces)
        if not content.get("stream"):
            whole = completion("".join(pieces), finish_reason, usage, calls)
            self._send_json(HTTPStatus.OK, whole)
            return
        options = content.get("stream_options")
        wants_usage = isinstance(options, dict) and options.get("include_usage")
        told = usage if wants_usage else None
        self._stream(len(pieces), events(pieces, finish_reason, told, calls))

    def _stream(self, words: int, chunks: Iterable[Mapping[str, Any]]) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(chunks):
            if 0 < number <= words:
                self.wfile.flush()
                time.sleep(self.server.token_delay)
            self._write_event(json.dumps(event, ensure_ascii=False))
        self._write_event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _write_event(self, text: str) -> None:
        event = f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _send_json(self, status: HTTPStatus, content: Mapping[str, Any]) -> None:
        body = json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_error(self, refusal: Refused) -> None:
        error = {
            "message": refusal.message,
            "type": "invalid_request_error",
            "param": None,
            "code": refusal.code or None,
        }
        self._send_json(refusal.status, {"error": error})
