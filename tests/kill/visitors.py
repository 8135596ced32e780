"""Visitors who ask and write down what became of each question."""

from __future__ import annotations

import http.client
import json
import threading
import time
from dataclasses import dataclass, field

from tests.kill.running_portal import LOOPBACK, RunningPortal


@dataclass
class Notes:
    """Messages by what their senders know of them."""

    acknowledged: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    never_sent: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return len(self.acknowledged) + len(self.refused) + len(self.unknown)


class Visitors:
    """Threads that send `count` prompts in all, each message once, whoever dies meanwhile."""

    def __init__(self, portal: RunningPortal, hosts: list[str], count: int, threads: int) -> None:
        self.notes = Notes()
        self._portal, self._hosts, self._count = portal, hosts, count
        self._lock = threading.Lock()
        self._number = 0
        self._gone = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def finish(self, seconds: float) -> None:
        """Wait until all prompts are sent; those who wait for longer leave."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.leave()

    def leave(self) -> None:
        """Ask nothing more; what is under way is waited for."""
        self._gone.set()
        for thread in self._threads:
            thread.join()

    def _next(self) -> tuple[str, str] | None:
        with self._lock:
            if self.notes.sent >= self._count or self._gone.is_set():
                return None
            self._number += 1
            number = self._number
        return self._hosts[number % len(self._hosts)], f"Question number {number}, asked once"

    def _ask(self) -> None:
        while (question := self._next()) is not None:
            outcome = self._outcome(*question)
            with self._lock:
                outcome.append(question[1])
            if outcome is not self.notes.acknowledged:
                time.sleep(0.1)

    def _outcome(self, host: str, message: str) -> list[str]:
        connection = http.client.HTTPConnection(LOOPBACK, self._portal.port, timeout=20)
        body = json.dumps({"messages": [{"role": "user", "content": message}]})
        headers = {"Host": f"{host}:{self._portal.port}", "Content-Type": "application/json"}
        try:
            connection.connect()
        except OSError:
            return self.notes.never_sent
        try:
            connection.request("POST", "/prompt/", body, headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException):
            return self.notes.unknown
        finally:
            connection.close()
        is_answered = response.status == 200 and _choices(answer)
        return self.notes.acknowledged if is_answered else self.notes.refused


def _choices(answer: bytes) -> list[object]:
    """The answers inside the chat component's envelope."""
    found: list[object] = json.loads(json.loads(answer)["data"]["body"])["choices"]
    return found
