"""Work that is done in a process of its own, which is killed again and again.

`python -m tests.kill.labour NAME` forks a child that works, and when that is killed the next one,
as a worker does with its horse. It ends when a child has come to its end by itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from flask import Flask

from portal import cli
from portal.accounts import audit
from portal.accounts.models import Account
from portal.app import create_worker_app
from portal.database import db, utc_now
from portal.job_queue import perform, rings_due
from portal.manifests import command as manifest_command
from portal.settings import Settings
from portal.tied_process import PR_SET_PDEATHSIG, tied
from tests.kill.own_portal import PATIENCE_SECONDS
from tests.kill.running_portal import ROOT, children

IDLE_SECONDS = 1.5
LEASE_SECONDS = 1  # what a killed child had in hand is taken up again soon


def begins() -> None:
    """Told by a child with each piece of work."""
    os.write(1, f"{os.getpid()}\n".encode())


def jobs(app: Flask) -> None:
    """What clock and worker do, without an end."""
    with app.app_context():
        while True:
            rings = list(rings_due(utc_now()))
            db.session.rollback()
            random.shuffle(rings)  # or the last ones would never be under way when it dies
            for ring in rings:
                begins()
                perform(ring.name, *ring.arguments)
            time.sleep(0.01)


def events(app: Flask) -> None:
    """Events of the audit log, without an end; the number of each is told once it is stored."""
    with app.app_context():
        account_id = db.session.scalars(db.select(Account.id).order_by(Account.id).limit(1)).one()
        actor = audit.Operator(account_id=account_id)
        number = 0
        begins()
        while True:
            number += 1
            name = f"{os.getpid()}-{number}"
            audit.record(actor, "changed", None, before={"size": 1}, after={"size": 2}, name=name)
            db.session.commit()
            os.write(1, f"{name}\n".encode())
            time.sleep(0.01)


class _Begins(io.StringIO):
    """What the command prints first is its plan: then it begins to apply it."""

    def write(self, text: str) -> int:
        if not self.tell():
            begins()
        return super().write(text)


def applying(app: Flask) -> None:
    """`manifest apply` of the file that PORTAL_TEST_MANIFEST names."""
    words = ["manifest", "apply", os.environ["PORTAL_TEST_MANIFEST"], "--yes", "--account"]
    words.append(os.environ["PORTAL_TEST_ACCOUNT"])
    with app.app_context(), contextlib.redirect_stdout(_Begins()):
        code = manifest_command.run(cli.parser("manifest").parse_args(words), utc_now())
    assert code == 0, code


WORK: dict[str, Callable[[Flask], None]] = {"jobs": jobs, "events": events, "applying": applying}


def warm_up(app: Flask) -> None:
    """Ask once what is due, so that children spend their short lives on work."""
    with app.app_context():
        list(rings_due(utc_now()))
        db.session.remove()
        db.engine.dispose()


def main(name: str) -> None:
    """Children one after the other, until one has done all there is to do."""
    settings = replace(Settings.from_environ(os.environ), job_lease_seconds=LEASE_SECONDS)
    app = create_worker_app(settings)
    warm_up(app)
    while True:
        pid = os.fork()
        if pid == 0:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            WORK[name](app)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            sys.exit(os.WEXITSTATUS(status))


class Labourer:
    """The process, and the hand that kills its child."""

    def __init__(self, name: str, environ: dict[str, str], chance: random.Random) -> None:
        self._chance = chance
        self._told = Path(environ["PORTAL_DATA_DIR"]) / f"{name}.told"
        command = tied([sys.executable, "-m", "tests.kill.labour", name])
        with self._told.open("wb") as told:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=told)
        self.kills = 0

    def kill_soon(self, longest: float, pieces: int = 1) -> None:
        """Kill the child at a random moment: in one of so many pieces, or within these seconds."""
        pid = self._at_work(self._chance.randint(1, pieces))
        time.sleep(self._chance.uniform(0.0, longest))
        if pid in children(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.kills += 1
        while pid in children(self.process.pid):
            time.sleep(0.001)

    def _at_work(self, pieces: int) -> int:
        """The child that has begun so many, or waits for more; 0 when all is done."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        idle_since = time.monotonic()
        before: Counter[str] = Counter()
        while self.process.poll() is None:
            begun = Counter(line.partition("-")[0] for line in self.told())
            if begun != before:
                before, idle_since = begun, time.monotonic()
            is_idle = time.monotonic() > idle_since + IDLE_SECONDS
            for pid in children(self.process.pid):
                if begun[str(pid)] >= (1 if is_idle else pieces):
                    return pid
            assert time.monotonic() < deadline, "nobody is at work"
            time.sleep(0.002)
        return 0

    def told(self) -> list[str]:
        """The lines that its children have written, a last one that was cut off left out."""
        return self._told.read_text().split("\n")[:-1]

    def stop(self) -> None:
        """End it outright, and its child with it."""
        self.process.kill()
        self.process.wait(10)


@contextlib.contextmanager
def at_work(name: str, environ: dict[str, str], chance: random.Random) -> Iterator[Labourer]:
    """Somebody who works, and is surely gone afterwards."""
    labourer = Labourer(name, environ, chance)
    try:
        yield labourer
    finally:
        labourer.stop()


if __name__ == "__main__":
    main(sys.argv[1])
