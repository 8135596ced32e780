"""Programs under measurement: started, warm, their processor time and memory out of /proc."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


def free_port(count: int = 5) -> int:
    """The first of so many neighbours that nobody listens on."""
    while True:
        first = random.SystemRandom().randrange(20_000, 32_000)
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return first


@contextlib.contextmanager
def program(
    command: Sequence[str], port: int, environ: Mapping[str, str] | None = None
) -> Iterator[int]:
    """The number of a process that listens on the port until the block is left."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(environ or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not listen on port {port}")


def tree(pid: int) -> list[int]:
    """The process and all that it started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *(found for child in children for found in tree(int(child)))]


def processor_seconds(pid: int) -> float:
    """User and system time of a tree of processes so far."""
    total = 0
    for member in tree(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory(pid: int) -> dict[str, float]:
    """Megabytes (PSS: shared pages by their share) of each process of a tree."""
    found = {}
    for member in tree(pid):
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{member}/cmdline").read_bytes().decode().split("\0")
            text = Path(f"/proc/{member}/smaps_rollup").read_text()
            pss = next(row for row in text.splitlines() if row.startswith("Pss:"))
            found[f"{member} {' '.join(line[-3:]).strip()[-60:]}"] = int(pss.split()[1]) / 1024
    return found
