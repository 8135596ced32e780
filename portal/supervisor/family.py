"""Keeps programs alive until somebody wants them to stop, then stops them in order."""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from portal.supervisor.children import Child, Program
from portal.supervisor.surroundings import StartError

HOPELESS_STARTS = 5
STEP_SECONDS = 0.05
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(text: str) -> None:
    """A line for the terminal; one that went away is no reason to stop working."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for the rest of our life


class Bell:
    """Sleep that ends early when a child ended or a stop was asked for; counts the askings."""

    def __init__(self) -> None:
        self.stops = 0
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in STOP_SIGNALS:
            signal.signal(number, self._count)

    def _count(self, number: int, frame: FrameType | None) -> None:
        self.stops += 1

    def sleep(self, seconds: float) -> None:
        """At most so long."""
        if select.select([self._reader], [], [], max(0.0, seconds))[0]:
            os.read(self._reader, 4096)


class Family:
    """The programs in the order they were started; they are stopped in the opposite one."""

    def __init__(self, bell: Bell, logs: Path, environ: Mapping[str, str], cwd: Path) -> None:
        self.bell = bell
        self._logs = logs
        self.environ = dict(environ)  # of the programs started from now on
        self.cwd = cwd
        self.children: list[Child] = []

    def start(self, program: Program) -> None:
        """Start it and keep it alive from now on."""
        log = self._logs / f"{program.name}.log"
        child = Child(program, log, self.environ, self.cwd)
        self.children.append(child)
        child.start(time.monotonic())

    def wait_until(self, fulfilled: Callable[[], bool], seconds: float) -> bool:
        """Care for the children until it is; False when a stop was asked for.

        Raises StartError when the time is over, or when a child dies again and again.
        """
        deadline = time.monotonic() + seconds
        while not fulfilled():
            if self.bell.stops:
                return False
            if time.monotonic() > deadline:
                raise StartError(f"The portal was not ready in time; see the logs in {self._logs}.")
            self._give_up_on_hopeless()
            self.care()
            self.bell.sleep(STEP_SECONDS)
        return True

    def watch(self) -> None:
        """Care for the children until a stop is asked for."""
        while not self.bell.stops:
            self.bell.sleep(self.care())

    def care(self) -> float:
        """Bury who ended, start who is due; the seconds until there is something to do again."""
        now = time.monotonic()
        for child in self.children:
            if child.ended():
                how = child.bury(now)
                say(f"{child.program.name} ended ({how}); starting it again in {child.pause:g} s.")
            if child.process is None and child.due_at <= now:
                child.start(now)
        waiting = [child.due_at - now for child in self.children if child.process is None]
        return min(waiting, default=60.0)

    def _give_up_on_hopeless(self) -> None:
        for child in self.children:
            if child.early_deaths >= HOPELESS_STARTS:
                raise StartError(
                    f"{child.program.name} does not start: {child.last_words()} "
                    f"(the whole story is in {child.log})"
                )

    def stop(self) -> None:
        """The youngest first, each within its time; a second Ctrl-C kills all that is left."""
        for child in reversed(self.children):
            child.ask_to_stop()
            deadline = time.monotonic() + child.program.stop_seconds
            while child.process is not None and not child.ended():
                if time.monotonic() > deadline or self.bell.stops > 1:
                    child.kill()
                self.bell.sleep(STEP_SECONDS)
            child.kill()
        self.children.clear()
