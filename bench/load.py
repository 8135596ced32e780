"""A load generator of our own: so many kept-alive connections, each asking as soon as answered."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from dataclasses import dataclass, field

QUESTION = "What does a prompt cost on its way from a visitor to the history and back?"
PLAIN = {"messages": [{"role": "user", "content": QUESTION}]}
STREAMED = {**PLAIN, "message": QUESTION, "stream": True}


@dataclass(frozen=True)
class Target:
    """Where to send the question."""

    name: str
    port: int
    path: str
    host: str = "127.0.0.1"
    streamed: bool = False

    def request(self) -> bytes:
        """The whole request, ready to be sent."""
        body = json.dumps(STREAMED if self.streamed else PLAIN).encode()
        head = f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body


@dataclass
class Figures:
    """What a run found; times in seconds."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    first_bytes: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        if len(self.times) < 2:
            return float("nan")
        return 1000 * statistics.quantiles(self.times, n=100)[percent - 1]

    @property
    def first_byte(self) -> float:
        """Milliseconds, the median; nan where nothing was streamed."""
        return 1000 * statistics.median(self.first_bytes) if self.first_bytes else float("nan")


def run(target: Target, connections: int, seconds: float) -> Figures:
    """Ask for so long over so many connections."""
    return asyncio.run(_run(target, connections, seconds))


async def _run(target: Target, connections: int, seconds: float) -> Figures:
    figures, started = Figures(), time.perf_counter()
    asking = (_ask(target, started + seconds, figures) for _ in range(connections))
    await asyncio.gather(*asking)
    figures.seconds = time.perf_counter() - started
    return figures


async def _ask(target: Target, until: float, figures: Figures) -> None:
    request = target.request()
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    while (started := time.perf_counter()) < until:
        writer.write(request)
        is_good = await _read(reader, figures, started, target.streamed)
        figures.failures += not is_good
        figures.times.append(time.perf_counter() - started)
    writer.close()


async def _read(
    reader: asyncio.StreamReader, figures: Figures, started: float, streamed: bool
) -> bool:
    """One answer to its end; whether it holds what the provider said."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b"chunked" not in head:
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return b"token" in await reader.readexactly(length)
    body, is_first = b"", True
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
        if is_first and streamed and b"token" in body:
            is_first = False
            figures.first_bytes.append(time.perf_counter() - started)
    await reader.readline()
    return b"token" in body
