"""A thousand slow answers held at once: first words, memory, and whether the pages still answer.

`python -m bench.slow_streams [--streams 1000] [--seconds 20]`; see bench/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from urllib.parse import urlencode

from bench.load import Target
from bench.processes import free_port, memory, processor_seconds, program
from bench.rig import GUNICORN, PASSWORD, Rig, deployed_client, rig, web

ARRIVAL_SECONDS = 8.0  # they come one after the other over so long
FIRST_MS = 20


@dataclass
class Held:
    """What the streams of one run saw; seconds."""

    first: list[float] = field(default_factory=list)
    whole: int = 0
    broken: int = 0


async def hold(target: Target, streams: int) -> Held:
    """Open so many streams over eight seconds and read each to its end."""
    found, gap = Held(), ARRIVAL_SECONDS / streams
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(_one(target, found, started + n * gap) for n in range(streams)))
    return found


async def _one(target: Target, found: Held, at: float) -> None:
    await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        asked = time.perf_counter()
        writer.write(target.request())
        body, is_first = b"", True
        while b"[DONE]" not in body and b"event: done" not in body:
            piece = await asyncio.wait_for(reader.read(65_536), 90)
            if not piece:
                break
            body = (body + piece)[-4_000:]
            if is_first and b"token" in piece:
                is_first = False
                found.first.append(time.perf_counter() - asked)
        writer.close()
        is_whole = b"[DONE]" in body or b"event: done" in body
        found.whole += is_whole
        found.broken += not is_whole
    except (OSError, TimeoutError):
        found.broken += 1


def signed_in(port: int) -> str:
    """The cookie of a session, through the page for signing in."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    host = {"Host": f"localhost:{port}"}
    connection.request("GET", "/login", headers=host)
    answer = connection.getresponse()
    page = answer.read().decode()
    cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    sent = urlencode({"csrf_token": token, "username": "admin", "password": PASSWORD})
    form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
    connection.request("POST", "/login", sent, {**host, **form})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 303, answer.status
    return str(answer.headers["Set-Cookie"]).partition(";")[0]


class Pages:
    """Asks an admin page each half second from a thread of its own."""

    def __init__(self, found: Rig) -> None:
        self._port = found.settings.port
        self._cookie = signed_in(self._port)
        self.times: list[float] = []

    async def ask(self, until: float) -> None:
        while time.monotonic() < until:
            started = time.perf_counter()
            await asyncio.to_thread(self._get)
            self.times.append(time.perf_counter() - started)
            await asyncio.sleep(0.5)

    def _get(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        headers = {"Host": f"localhost:{self._port}", "Cookie": self._cookie}
        connection.request("GET", "/requests/", headers=headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        answer.read()
        connection.close()


@contextlib.contextmanager
def programs(seconds: int) -> Iterator[tuple[Rig, int, int, str]]:
    """The provider and the portal; a client whose answers take so long."""
    with contextlib.ExitStack() as held:
        provider = free_port(1)
        command = [sys.executable, "-m", "bench.provider", str(provider)]
        held.enter_context(program(command, provider))
        found = held.enter_context(rig(free_port()))
        base_url = f"http://127.0.0.1:{provider}/{FIRST_MS}-1000-{seconds}/v1"
        host = deployed_client(found, "slow", base_url)
        pid = held.enter_context(web(found))
        yield found, provider, pid, host


async def measure(found: Rig, pid: int, target: Target, streams: int, seconds: int) -> None:
    """Hold them, look at the memory when all are there, and print what was found."""
    pages, peak = Pages(found), 0.0
    before, ends = processor_seconds(pid), time.monotonic() + ARRIVAL_SECONDS + seconds
    asking = asyncio.create_task(pages.ask(ends - 2))
    holding = asyncio.create_task(hold(target, streams))
    while not holding.done():
        await asyncio.sleep(1.0)
        peak = max(peak, sum((await asyncio.to_thread(memory, pid)).values()))
    await asking
    show("  portal", holding.result())
    spent = processor_seconds(pid) - before
    print(f"    web processes: {peak:.0f} MB PSS at the peak, {spent:.1f} s of processor time")
    p95 = 1000 * statistics.quantiles(pages.times, n=20)[18]
    slowest = 1000 * max(pages.times)
    print(f"    an admin page meanwhile: p95 {p95:.0f} ms, slowest {slowest:.0f} ms")


def show(name: str, held: Held) -> None:
    """First words and losses."""
    p50 = 1000 * statistics.median(held.first)
    p95 = 1000 * statistics.quantiles(held.first, n=20)[18]
    print(f"{name}: first words p50 {p50:.1f} ms, p95 {p95:.1f} ms; ", end="")
    print(f"{held.whole} whole, {held.broken} broken off", flush=True)


def compare(streams: int, seconds: int) -> None:
    """G5: the provider asked directly, through the hand-written limit, through the portal."""
    print(f"\n{streams} streams of {seconds} s held at once, arriving over {ARRIVAL_SECONDS:g} s")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with programs(seconds) as (found, provider, pid, host):
        pace = f"{FIRST_MS}-1000-{seconds}"
        direct = Target("direct", provider, f"/{pace}/v1/chat/completions", streamed=True)
        show("  direct", asyncio.run(hold(direct, streams)))
        with limit(provider) as port:
            target = Target("limit", port, f"/{pace}/stream", streamed=True)
            show("  limit", asyncio.run(hold(target, streams)))
        target = Target("portal", found.settings.port, "/stream", host, streamed=True)
        asyncio.run(measure(found, pid, target, streams, seconds))


@contextlib.contextmanager
def limit(provider: int) -> Iterator[int]:
    """The port of the hand-written limit."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-limit-") as folder:
        port = free_port(2)
        environ = {
            "PORTAL_PORT": str(port),
            "BENCH_PROVIDER_PORT": str(provider),
            "BENCH_LIMIT_DATABASE": f"{folder}/limit.sqlite3",
        }
        with program([*GUNICORN, "bench.limit:application"], port, environ):
            yield port


def main() -> None:
    """Alone; `bench.serving` runs it with the rest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=20)
    chosen = parser.parse_args()
    compare(chosen.streams, chosen.seconds)


if __name__ == "__main__":
    main()
