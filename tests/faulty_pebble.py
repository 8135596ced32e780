"""A door in front of pebble that can misbehave, and that knows renewal information (RFC 9773)."""

from __future__ import annotations

import json
import ssl
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3

from tests.edge_peers import LOOPBACK, Pebble

PROBLEM = "urn:ietf:params:acme:error:"
Answer = tuple[int, dict[str, str], bytes]


def problem(status: int, code: str, detail: str, **headers: str) -> Answer:
    """A problem document as an authority sends it."""
    body = {"type": f"{PROBLEM}{code}", "detail": detail, "status": status}
    kind = {"Content-Type": "application/problem+json"}
    return status, {**kind, **headers}, json.dumps(body).encode()


class FaultyPebble:
    """Passes everything on to `pebble`, unless a fault is set for the beginning of the path.

    `faults`: path prefix -> the answers to give, one for each request, then pebble's again;
    `rewrites`: path prefix -> keys to change in pebble's JSON. `window`: what renewal information
    suggests, once it is set.
    """

    def __init__(self, pebble: Pebble) -> None:
        self.pebble = pebble
        self.faults: dict[str, list[Answer]] = {}
        self.rewrites: dict[str, dict[str, Any]] = {}
        self.window: tuple[datetime, datetime] | None = None
        self.seen: list[str] = []
        self.ca_file = pebble.ca_file
        base = pebble.directory.removesuffix("/dir")
        pool = urllib3.PoolManager(ca_certs=str(pebble.ca_file), retries=False)
        outer = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                outer.seen.append(self.path)
                status, headers, content = outer.own_answer(self.path) or self.passed_on(body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_HEAD = answer

            def passed_on(self, body: bytes) -> Answer:
                kept = ("Content-Type", "Accept", "User-Agent")
                headers = {name: self.headers[name] for name in kept if self.headers[name]}
                headers["Host"] = f"localhost:{outer.port}"
                found = pool.request(
                    self.command, base + self.path, body=body, headers=headers, redirect=False
                )
                wanted = ("Content-Type", "Replay-Nonce", "Location", "Link", "Retry-After")
                answered = {name: found.headers[name] for name in wanted if name in found.headers}
                return found.status, answered, outer.rewritten(self.path, found.data)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Door)
        folder = pebble.ca_file.parent
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "api.pem", folder / "api.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.directory = f"https://localhost:{self.port}/dir"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, prefix: str) -> int:
        """How many requests there were for paths that begin so."""
        return sum(path.startswith(prefix) for path in self.seen)

    def own_answer(self, path: str) -> Answer | None:
        for prefix, answers in self.faults.items():
            if path.startswith(prefix) and answers:
                return answers.pop(0)
        if path.startswith("/ari/") and self.window is not None:
            start, end = (f"{when:%Y-%m-%dT%H:%M:%SZ}" for when in self.window)
            body = {"suggestedWindow": {"start": start, "end": end}}
            kind = {"Content-Type": "application/json", "Retry-After": "21600"}
            return 200, kind, json.dumps(body).encode()
        return None

    def rewritten(self, path: str, content: bytes) -> bytes:
        changes: dict[str, Any] = {}
        if path == "/dir" and self.window is not None:
            changes["renewalInfo"] = f"https://localhost:{self.port}/ari"
        for prefix, wanted in self.rewrites.items():
            if path.startswith(prefix):
                changes.update(wanted)
        if not changes:
            return content
        return json.dumps({**json.loads(content), **changes}).encode()


def soon(now: datetime, days: float) -> tuple[datetime, datetime]:
    """A window of two hours around so many days from now."""
    middle = now + timedelta(days=days)
    return middle - timedelta(hours=1), middle + timedelta(hours=1)
