"""A provider that waits for its asker to leave, and a visitor over a socket of his own."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import Any

from tests.faults.vendor import STREAM, Vendor, part
from tests.kill.running_portal import LOOPBACK, RunningPortal

HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {STREAM}\r\n"


class PatientVendor(Vendor):
    """Says `words` to the first prompts, then waits until the asker leaves; `left_at` is when."""

    def __init__(self) -> None:
        super().__init__()
        self.begin()
        self.behave = self._answer

    def begin(self, *answers: str, words: str = "") -> None:
        """The whole answers of the first prompts, and how far the next one gets."""
        self.requests.clear()
        self.left.clear()
        self.waits = threading.Event()
        self.left_at = 0.0
        self._answers, self._words = list(answers), words

    def _answer(self, connection: Any) -> None:
        if not self.requests:
            connection.wfile.write(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
            return
        if self._answers:
            body = self._answers.pop(0)
            connection.wfile.write(f"{HEAD}Connection: close\r\n\r\n{body}".encode())
            return
        if self._words:
            connection.wfile.write(f"{HEAD}\r\n{part(self._words)}".encode())
        self.waits.set()
        with contextlib.suppress(OSError):
            connection.connection.settimeout(20)
            if connection.connection.recv(1) == b"":
                self.left_at = time.monotonic()
                self.left.set()


class Guest:
    """A visitor of a client's host, over a socket of his own."""

    def __init__(self, portal: RunningPortal, host: str, path: str, content: Any) -> None:
        self._socket = socket.create_connection((LOOPBACK, portal.port), timeout=20)
        body = json.dumps(content)
        self._socket.sendall(
            f"POST {path} HTTP/1.1\r\nHost: {host}:{portal.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        self._read = b""

    def reads(self, words: str) -> None:
        """Wait until these have come."""
        while words.encode() not in self._read:
            piece = self._socket.recv(65_536)
            assert piece, self._read
            self._read += piece

    def status(self) -> int:
        """Of the answer, once it has begun."""
        self.reads("\r\n")
        return int(self._read.split()[1])

    def leaves(self) -> float:
        """Close the connection; the time at which."""
        self._socket.close()
        return time.monotonic()
