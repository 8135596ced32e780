"""What a look at many domains costs, beside hand-written datagrams and 64 threads.

`python -m bench.domains [--names 10000] [--rounds 3]`; see bench/README.md.
"""

from __future__ import annotations

import argparse
import resource
import selectors
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bench.name_server import VALUE
from bench.processes import free_port, program
from portal.dns.ask import ask
from portal.dns.quick_wire import numbered, question_wire
from portal.dns.sweep import ask_many
from portal.dns.sweep_servers import Question

DELAY = 20
LIFETIME = 3.0
LIMIT_IN_FLIGHT = 1000
THREADS = 64
DEAD_SERVERS, QUESTIONS_OF_EACH = 100, 50
Way = Callable[[Sequence[str], int], int]


def by_the_portal(names: Sequence[str], port: int) -> int:
    """The portal's sweep; how many names had the right value."""
    questions = (Question(name, "TXT", ("127.0.0.1", port), recursive=True) for name in names)
    right = (VALUE.decode(),)
    return sum(answer.values == right for _, answer in ask_many(questions, timeout=LIFETIME))


def by_threads(names: Sequence[str], port: int) -> int:
    """One question after the other in each of 64 threads."""
    one = partial(_ask, port=port)
    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(one, names))


def _ask(name: str, port: int) -> bool:
    server = ("127.0.0.1", port)
    return ask(server, name, "TXT", recursive=True, timeout=LIFETIME).values == (VALUE.decode(),)


def by_hand(names: Sequence[str], port: int) -> int:
    """Datagrams and nothing else: no second try, no reading of answers but a search for octets."""
    todo, on_the_way, right = iter(names), {}, 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, selectors.DefaultSelector() as s:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
        one.connect(("127.0.0.1", port))
        one.setblocking(False)
        s.register(one, selectors.EVENT_READ)
        number, more = 0, True
        while more or on_the_way:
            while more and len(on_the_way) < LIMIT_IN_FLIGHT:
                name = next(todo, None)
                more = name is not None
                if name is not None:
                    one.send(numbered(question_wire(name, "TXT", recursive=True), number))
                    on_the_way[number] = time.monotonic()
                    number = (number + 1) % 65536
            s.select(0.05)
            for wire in _received(one):
                if on_the_way.pop(int.from_bytes(wire[:2]), None) is not None:
                    right += VALUE in wire
            late = time.monotonic() - LIFETIME
            while on_the_way and next(iter(on_the_way.values())) < late:
                del on_the_way[next(iter(on_the_way))]
    return right


def _received(one: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield one.recv(4096)
        except BlockingIOError:
            return


WAYS: dict[str, Way] = {"limit": by_hand, "portal": by_the_portal, "64 threads": by_threads}


def names_with_dead(count: int, share: float) -> list[str]:
    """Spread evenly, so many of them dead."""
    every = round(1 / share) if share else count + 1
    return [f"{'dead' if n % every == every - 1 else 'n'}{n}.bench.test" for n in range(count)]


def measure(title: str, names: Sequence[str], port: int, rounds: int) -> None:
    """All ways in turn; medians, and ratios to the limit of the same run."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    processor: dict[str, list[float]] = {way: [] for way in WAYS}
    alive = sum(not name.startswith("dead") for name in names)
    for _ in range(rounds):
        for way, run in WAYS.items():
            begin, used = time.monotonic(), time.process_time()
            right = run(names, port)
            seconds[way].append(time.monotonic() - begin)
            processor[way].append(time.process_time() - used)
            if right != alive:
                print(f"  {way}: {right} of {alive} answers were right", file=sys.stderr)
    print(f"\n{title}")
    limit = statistics.median(seconds["limit"])
    for way in WAYS:
        took, cpu = statistics.median(seconds[way]), statistics.median(processor[way])
        each = cpu / len(names) * 1000
        print(f"  {way:<11}{took:7.2f} s  x{took / limit:5.2f}   processor {each:.3f} ms a name")


def measure_dead_servers(names: Sequence[str], port: int) -> None:
    """How much later the last live name is answered when 100 servers of others are dead."""
    questions = [Question(name, "TXT", ("127.0.0.1", port)) for name in names]
    dead = [
        Question(f"n{n}.dead.test", "TXT", (f"127.9.9.{server + 1}", port))
        for n in range(QUESTIONS_OF_EACH)
        for server in range(DEAD_SERVERS)
    ]
    last: list[float] = []
    for several in (questions, dead + questions):
        begin = ended = time.monotonic()
        for question, _ in ask_many(several, timeout=LIFETIME, allow_private_addresses=True):
            if question.server[0] == "127.0.0.1":
                ended = time.monotonic()
        last.append(ended - begin)
        whole = time.monotonic() - begin
    print(f"\n{DEAD_SERVERS} dead servers, {len(dead)} questions of theirs asked first")
    print(f"  the last live name {last[1]:.2f} s, without them {last[0]:.2f} s; all {whole:.2f} s")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    port = free_port(1)
    with program((sys.executable, "-m", "bench.name_server", str(port), str(DELAY)), port):
        by_the_portal(names_with_dead(500, 0), port)
        count = f"{chosen.names:,} TXT names, {DELAY} ms an answer"
        measure(count, names_with_dead(chosen.names, 0), port, chosen.rounds)
        measure(f"{count}, 1 % dead", names_with_dead(chosen.names, 0.01), port, chosen.rounds)
        measure_dead_servers(names_with_dead(chosen.names, 0), port)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\nlargest memory of all this: {peak} MB")


if __name__ == "__main__":
    main()
