"""`make run`: the whole portal as one command, on one machine, in the terminal.

Light on purpose (standard library only), since it starts before anything else and stays.
"""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from portal.embedded_redis import EmbeddedRedis, RedisMissing
from portal.supervisor.children import Program, open_log
from portal.supervisor.family import Bell, Family, say
from portal.supervisor.surroundings import (
    LOOPBACK,
    Claim,
    StartError,
    Surroundings,
    ensure_data_folder,
    ensure_ports_free,
    ensure_redis_answers,
)
from portal.tied_process import tied

ROOT = Path(__file__).resolve().parent.parent.parent
CLI = (sys.executable, "-m", "portal.cli")


@dataclass(frozen=True)
class System:
    """What runs: once to prepare the data, then in this order; stopped in the opposite one."""

    preparation: Sequence[str]
    programs: Sequence[Program]


PORTAL = System(
    (*CLI, "prepare"),
    (
        Program("local-services", (sys.executable, "-m", "portal.local_services")),
        Program("clock", (*CLI, "clock")),
        Program("worker", (*CLI, "worker"), stop_seconds=15),
        Program(
            "web",
            (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:application"),
            stop_seconds=12,
        ),
    ),
)
READY_WITHIN_SECONDS = 60
AFTER_A_CRASH_SECONDS = 5
ONLY_FOR_PREPARE = "PORTAL_ADMIN_PASSWORD"
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d")


def healthy(port: int) -> bool:
    """True when the internal plane answers that the web process and its database work."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def start_redis(family: Family, surroundings: Surroundings) -> None:
    """The embedded one, unless REDIS_URL names another; raises StartError."""
    given = surroundings.environ.get("REDIS_URL")
    if given:
        ensure_redis_answers(given)
        return
    try:
        redis = EmbeddedRedis(surroundings.data_dir / "redis")
    except RedisMissing as error:
        raise StartError(str(error)) from error
    family.environ["REDIS_URL"] = redis.url
    family.start(Program("redis", redis.command()))
    family.wait_until(redis.answers, READY_WITHIN_SECONDS)


def prepare(family: Family, command: Sequence[str], log: Path) -> None:
    """Secrets, migrations, the first admin, in a process of its own; raises StartError."""
    log.unlink(missing_ok=True)
    with os.fdopen(open_log(log), "wb") as errors:
        process = subprocess.Popen(
            tied(command),
            stdin=subprocess.DEVNULL,
            stderr=errors,
            env=family.environ,
            cwd=family.cwd,
            start_new_session=True,
        )
    while process.poll() is None:
        if family.bell.stops:
            process.terminate()
        family.bell.sleep(1)
    if process.returncode and not family.bell.stops:
        raise StartError(why_it_failed(log.read_text(errors="replace"), log))
    family.environ.pop(ONLY_FOR_PREPARE, None)


def why_it_failed(errors: str, log: Path) -> str:
    """The program's own sentences; for a traceback its last line and where the rest is."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    lines = [line for line in lines if not LOG_LINE.match(line)]
    if not lines:
        return "Preparing the data folder failed without a word."
    if any(line.startswith("Traceback") for line in lines):
        return f"Preparing the data folder failed: {lines[-1]} (the whole story is in {log})"
    return "\n".join(lines[-10:])


def announce(surroundings: Surroundings) -> None:
    """Where to click, where the data is, how to stop."""
    say("")
    say(f"  The portal is ready:  {surroundings.url}")
    say("  Sign in as:           admin")
    say(f"  Your data:            {surroundings.data_dir}")
    say(f"  Logs:                 {surroundings.logs}")
    say("  Ctrl-C stops it; the next make run goes on where this one ended.")
    say("")


def run(family: Family, surroundings: Surroundings, system: System) -> None:
    """Start everything and keep it alive until a stop is asked for; raises StartError."""
    start_redis(family, surroundings)
    prepare(family, system.preparation, surroundings.logs / "prepare.log")
    if family.bell.stops:
        return
    for program in system.programs:
        family.start(program)
    port = surroundings.ports["PORTAL_INTERNAL_PORT"]
    if family.wait_until(lambda: healthy(port), READY_WITHIN_SECONDS):
        announce(surroundings)
        family.watch()


def supervise(surroundings: Surroundings, system: System) -> None:
    """Check, run, and stop whatever was started; raises StartError."""
    ensure_data_folder(surroundings.data_dir)
    with Claim(surroundings.data_dir) as claim:
        ensure_ports_free(surroundings.ports, AFTER_A_CRASH_SECONDS if claim.after_a_crash else 0)
        family = Family(Bell(), surroundings.logs, surroundings.child_environ(), ROOT)
        try:
            run(family, surroundings, system)
            say("Stopping; a second Ctrl-C stops at once.")
        finally:
            family.stop()


def main(environ: Mapping[str, str], system: System = PORTAL) -> int:
    """0 after an orderly stop, 1 with one sentence when the portal cannot start here."""
    try:
        supervise(Surroundings.from_environ(environ, ROOT), system)
    except StartError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    say("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
