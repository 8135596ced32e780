"""One supervised program: started tied to us, logged, started again after a pause, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.tied_process import tied

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
SETTLED_SECONDS = 3.0  # one that lived this long did not fail to start
LARGEST_LOG_BYTES = 5_000_000


@dataclass(frozen=True)
class Program:
    """What to run, and how long a polite stop may take before it is killed."""

    name: str
    command: Sequence[str]
    stop_seconds: float = 5.0


def next_pause(previous: float, lived_seconds: float) -> float:
    """Seconds until the next start: doubling while it dies young, short again once it lived."""
    if previous == 0 or lived_seconds >= SETTLED_SECONDS:
        return FIRST_PAUSE_SECONDS
    return min(previous * 2, LONGEST_PAUSE_SECONDS)


def open_log(path: Path) -> int:
    """A descriptor that appends; a log grown too large becomes the one `.1` beside it."""
    if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


class Child:
    """A program and its present process; times are seconds of one monotonic clock."""

    def __init__(self, program: Program, log: Path, environ: Mapping[str, str], cwd: Path) -> None:
        self.program = program
        self.log = log
        self._environ = dict(environ)
        self._cwd = cwd
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.due_at = 0.0
        self.pause = 0.0
        self.early_deaths = 0

    def start(self, now: float) -> None:
        """In a session of its own, so that Ctrl-C in the terminal reaches the supervisor only."""
        output = open_log(self.log)
        try:
            self.process = subprocess.Popen(
                tied(self.program.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environ,
                cwd=self._cwd,
                start_new_session=True,
            )
        finally:
            os.close(output)
        self.started_at = now

    def ended(self) -> bool:
        """True once when its process has ended."""
        return self.process is not None and self.process.poll() is not None

    def bury(self, now: float) -> str:
        """Note the end, take what it left behind with it, set the next start; how it ended."""
        if self.process is None:
            return ""
        lived = now - self.started_at
        self.early_deaths = 0 if lived >= SETTLED_SECONDS else self.early_deaths + 1
        self.pause = next_pause(self.pause, lived)
        self.due_at = now + self.pause
        self.kill()
        code, self.process = self.process.returncode, None
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def ask_to_stop(self) -> None:
        """SIGTERM to the program alone; what it started it stops itself."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def kill(self) -> None:
        """SIGKILL to everything in its session's group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def last_words(self) -> str:
        """The last line that it wrote."""
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
