"""The whole portal as `make run` starts it, on ports and a folder of its own, and its processes."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import create_engine, text

from portal.supervisor.surroundings import PORT_VARIABLES, StartError, ensure_ports_free
from portal.tied_process import tied

ROOT = Path(__file__).parent.parent.parent
LOOPBACK = "127.0.0.1"
PASSWORD = "correct horse battery staple"
# What names a process among the supervisor's children, and of whom it may be a child instead.
MARKS = {
    "redis": ("redis-server",),
    "local-services": ("portal.local_services",),
    "clock": ("portal.cli", "clock"),
    "worker": ("portal.cli", "worker"),
    "web": ("gunicorn",),
}
FORKED = {"horse": "worker", "web worker": "web"}


class RunningPortal:
    """A supervisor with everything that it keeps alive."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.port = first_free_port(len(PORT_VARIABLES))
        self.internal_port, self.edge_port = self.port + 1, self.port + 2
        self.output = folder / "supervisor.log"
        data = folder / "data"
        url = environ.get("DATABASE_URL") or f"sqlite:///{data / 'portal.sqlite3'}"
        self.engine = create_engine(url)
        surroundings = {
            "PATH": os.environ["PATH"],
            "PORTAL_DATA_DIR": str(data),
            "PORTAL_PORT": str(self.port),
            "PORTAL_ADMIN_PASSWORD": PASSWORD,
            **environ,
        }
        command = tied([sys.executable, "-m", "portal.supervisor"])
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=surroundings, stdout=output, stderr=output
            )

    @property
    def host(self) -> str:
        """What a browser sends for the platform's own pages."""
        return f"localhost:{self.port}"

    def is_healthy(self) -> bool:
        """Whether the web process and its database answer now."""
        connection = http.client.HTTPConnection(LOOPBACK, self.internal_port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def pid_of(self, name: str) -> int | None:
        """The present process of this name; None between a death and the next start."""
        if name in FORKED:
            parent = self.pid_of(FORKED[name])
            return next(iter(children(parent)), None) if parent else None
        marks = MARKS[name]
        found = (pid for pid in children(self.process.pid) if _bears(pid, marks))
        return next(found, None)

    def signal(self, name: str, number: signal.Signals) -> int:
        """Send a signal to a process that is there; 0 when it is not, else its number."""
        pid = self.pid_of(name)
        if pid is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
            return pid
        return 0

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the database holds now."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def redis(self) -> redis.Redis:
        """A connection to the embedded Redis."""
        return redis.Redis(unix_socket_path=str(self.folder / "data" / "redis" / "redis.sock"))

    def stop(self) -> None:
        """End it, orderly if it can."""
        self.process.terminate()
        try:
            self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait(10)
            self.engine.dispose()


@contextlib.contextmanager
def running_portal(folder: Path, **environ: str) -> Iterator[RunningPortal]:
    """One that answers, and surely ends with the test."""
    portal = RunningPortal(folder, **environ)
    try:
        wait_until(portal.is_healthy, 60, lambda: portal.output.read_text())
        yield portal
    finally:
        portal.stop()


def wait_until(
    fulfilled: Callable[[], bool], seconds: float, otherwise: Callable[[], Any] = str
) -> None:
    """Return as soon as it is; fail with what `otherwise` tells when the time is over."""
    deadline = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < deadline, f"not within {seconds} s: {otherwise()}"
        time.sleep(0.05)


def first_free_port(count: int) -> int:
    """The first of so many neighbours that nobody listens on, below what clients are given."""
    while True:
        first = random.SystemRandom().randrange(20_000, 32_000)
        with contextlib.suppress(StartError):
            ensure_ports_free({str(i): first + i for i in range(count)})
            return first


def children(pid: int) -> list[int]:
    """The processes that this one started and that still are."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [int(child) for child in found]


def _bears(pid: int, marks: tuple[str, ...]) -> bool:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return False
    return all(mark in line for mark in marks)
