"""What the portal adds to a prompt, beside two limits measured in the same run.

`python -m bench.prompt_path [--seconds 2] [--rounds 3]`; see bench/README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.load import Figures, Target, run
from bench.processes import free_port, memory, processor_seconds, program
from bench.rig import GUNICORN, deployed_client, rig, web

WARM_UP_SECONDS = 1.0
LATENCIES = (0, 20)
CELLS = ((0, 1), (0, 16), (20, 1), (20, 64))


@dataclass(frozen=True)
class Served:
    """One of the programs under comparison."""

    name: str
    pid: int
    target: Callable[[int, bool], Target]


@dataclass
class Round:
    """One visit to one program."""

    figures: Figures
    processor_ms: float


@contextlib.contextmanager
def programs() -> Iterator[list[Served]]:
    """The provider itself, the hand-written limit on two servers, and the portal, all warm."""
    with contextlib.ExitStack() as held:
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="portal-bench-limit-"))
        provider = free_port(1)
        command = [sys.executable, "-m", "bench.provider", str(provider)]
        provider_pid = held.enter_context(program(command, provider))
        limit = free_port(2)
        environ = {
            "PORTAL_PORT": str(limit),
            "BENCH_PROVIDER_PORT": str(provider),
            "BENCH_LIMIT_DATABASE": f"{folder}/limit.sqlite3",
        }
        command = [*GUNICORN, "bench.limit:application"]
        limit_pid = held.enter_context(program(command, limit, environ))
        threads = free_port(2)
        environ |= {"PORTAL_PORT": str(threads), "BENCH_LIMIT_DATABASE": f"{folder}/t.sqlite3"}
        environ |= {"PORTAL_WORKER_CLASS": "gthread", "PORTAL_WEB_THREADS": "16"}
        threads_pid = held.enter_context(program(command, threads, environ))
        found = held.enter_context(rig(free_port()))
        hosts = {
            latency: deployed_client(
                found, f"bench{latency}", f"http://127.0.0.1:{provider}/{latency}/v1"
            )
            for latency in LATENCIES
        }
        portal_pid = held.enter_context(web(found))
        port = found.settings.port
        yield [
            Served(
                "direct",
                provider_pid,
                lambda ms, s: Target("direct", provider, f"/{ms}/v1/chat/completions", streamed=s),
            ),
            Served(
                "limit",
                limit_pid,
                lambda ms, s: Target(
                    "limit", limit, f"/{ms}/{'stream' if s else 'prompt/'}", streamed=s
                ),
            ),
            Served(
                "threads",
                threads_pid,
                lambda ms, s: Target(
                    "threads", threads, f"/{ms}/{'stream' if s else 'prompt/'}", streamed=s
                ),
            ),
            Served(
                "portal",
                portal_pid,
                lambda ms, s: Target(
                    "portal", port, "/stream" if s else "/prompt/", hosts[ms], streamed=s
                ),
            ),
        ]


def visit(served: Served, target: Target, connections: int, seconds: float) -> Round:
    """One measurement; a failure spoils it, so it is told."""
    before = processor_seconds(served.pid)
    figures = run(target, connections, seconds)
    spent = processor_seconds(served.pid) - before
    if figures.failures:
        print(f"  {served.name}: {figures.failures} of {len(figures.times)} answers were wrong")
    return Round(figures, 1000 * spent / max(1, len(figures.times)))


def compared(
    all_served: list[Served],
    latency: int,
    connections: int,
    rounds: int,
    seconds: float,
    *,
    streamed: bool = False,
) -> dict[str, list[Round]]:
    """In turn, A B C A B C, after a warm-up that does not count."""
    for served in all_served:
        run(served.target(latency, streamed), connections, WARM_UP_SECONDS)
    found: dict[str, list[Round]] = {served.name: [] for served in all_served}
    for _ in range(rounds):
        for served in all_served:
            target = served.target(latency, streamed)
            found[served.name].append(visit(served, target, connections, seconds))
    return found


def median(rounds: list[Round], value: Callable[[Round], float]) -> float:
    return statistics.median(value(one) for one in rounds)


def show(title: str, found: dict[str, list[Round]], *, streamed: bool = False) -> None:
    """A table; the last two columns are ratios and differences inside this run."""
    print(f"\n{title}")
    head = "            req/s   p50 ms   p95 ms   cpu ms/req   of limit   added p50 ms"
    print(head + ("   first byte ms   added" if streamed else ""))
    limit = median(found["limit"], lambda one: one.figures.rate)
    direct = median(found["direct"], lambda one: one.figures.percentile(50))
    first = median(found["direct"], lambda one: one.figures.first_byte)
    for name, rounds in found.items():
        rate = median(rounds, lambda one: one.figures.rate)
        p50 = median(rounds, lambda one: one.figures.percentile(50))
        p95 = median(rounds, lambda one: one.figures.percentile(95))
        spent = median(rounds, lambda one: one.processor_ms)
        line = f"  {name:8} {rate:8,.0f} {p50:8.2f} {p95:8.2f} {spent:12.2f}"
        line += f" {rate / limit:10.2f} {p50 - direct:14.2f}"
        if streamed:
            byte = median(rounds, lambda one: one.figures.first_byte)
            line += f" {byte:15.2f} {byte - first:7.2f}"
        print(line)


def measure(rounds: int, seconds: float) -> None:
    """G1 to G4 and the web process's memory under load, of G16."""
    with programs() as all_served:
        for latency, connections in CELLS:
            found = compared(all_served, latency, connections, rounds, seconds)
            show(f"Whole answers, provider {latency} ms, {connections} connection(s)", found)
        found = compared(all_served, 20, 1, rounds, seconds, streamed=True)
        show("Streamed, 20 ms, then 20 tokens 2 ms apart, 1 connection", found, streamed=True)
        print("\nMemory of the web processes after this load, MB PSS")
        for served in all_served[1:]:
            print(f"  {served.name:8} {sum(memory(served.pid).values()):8.0f}")


def main() -> None:
    """Everything, in about two minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    measure(chosen.rounds, chosen.seconds)


if __name__ == "__main__":
    main()
