"""`make run` keeps its programs alive, ends them with itself, and says why it cannot start."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.settings import Settings
from portal.supervisor.__main__ import why_it_failed
from portal.supervisor.children import next_pause, open_log
from portal.supervisor.surroundings import (
    PORT_VARIABLES,
    StartError,
    Surroundings,
    ensure_data_folder,
    ensure_ports_free,
    ensure_redis_answers,
)

pytestmark = pytest.mark.engine_independent

ROOT = Path(__file__).parent.parent

# A supervised program of these tests: notes its start and its end, and answers /healthz as `web`.
STAND_IN = """
import http.server, os, signal, sys, time
name, folder = sys.argv[1:]
def note(what):
    with open(f"{folder}/notes", "a") as notes:
        notes.write(f"{name} {what} {os.getpid()}\\n")
def stop(*_):
    note("stopped")
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "stubborn" else stop)
signal.signal(signal.SIGINT, lambda *_: note("interrupted"))
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
if name == "broken":
    raise RuntimeError("no such thing")
if name == "web":
    port = int(os.environ["PORTAL_INTERNAL_PORT"])
    server = http.server.HTTPServer(("127.0.0.1", port), Health)
note("started")
if name == "web":
    server.serve_forever()
while True:
    time.sleep(60)
"""

# The real supervisor over stand-ins: argv is a JSON object name -> command, "prepare" among them.
SUPERVISOR = """
import json, os, sys
from portal.settings import Settings
from portal.supervisor.__main__ import System, main
from portal.supervisor.children import Program
commands = json.loads(sys.argv[1])
prepare = commands.pop("prepare")
programs = [Program(name, command, stop_seconds=2) for name, command in commands.items()]
sys.exit(main(os.environ, System(prepare, programs)))
"""


class Portal:
    """A supervisor process over stand-ins, and what they noted."""

    def __init__(self, folder: Path, programs: tuple[str, ...], **environ: str) -> None:
        self.folder = folder
        stand_in = folder / "stand_in.py"
        stand_in.write_text(STAND_IN)
        commands = {name: [sys.executable, str(stand_in), name, str(folder)] for name in programs}
        commands["prepare"] = [sys.executable, "-c", environ.pop("prepare", "print('prepared')")]
        self.environ = {
            "PATH": os.environ["PATH"],
            "PORTAL_DATA_DIR": str(folder / "data"),
            "PORTAL_PORT": str(free_ports(len(PORT_VARIABLES))),
            **environ,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, json.dumps(commands)],
            cwd=ROOT,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def notes(self, what: str) -> list[tuple[str, int]]:
        """(name, process) of every program that noted `what`, in order."""
        path = self.folder / "notes"
        lines = path.read_text().splitlines() if path.exists() else []
        words = [line.split() for line in lines]
        return [(name, int(pid)) for name, event, pid in words if event == what]

    def wait_for(self, what: str, count: int) -> list[tuple[str, int]]:
        """The notes as soon as there are so many."""
        wait_until(lambda: len(self.notes(what)) >= count)
        return self.notes(what)

    def ended(self, seconds: float = 15) -> tuple[int, str, str]:
        """Exit code, output and errors of the supervisor, which ends by itself."""
        output, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, output, errors

    def interrupted(self) -> tuple[int, str, str]:
        """The same after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.ended()


@contextlib.contextmanager
def portal(folder: Path, *programs: str, **environ: str) -> Iterator[Portal]:
    """One that surely ends with the test."""
    made = Portal(folder, programs or ("local-services", "clock", "worker", "web"), **environ)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def wait_until(fulfilled: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def free_ports(count: int) -> int:
    """The first of so many neighbours that nobody listens on."""
    while True:
        first = random.SystemRandom().randrange(20_000, 32_000)  # below what clients are given
        with contextlib.suppress(StartError):
            ensure_ports_free({str(i): first + i for i in range(count)})
            return first


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_ctrl_c_stops_visitors_first_and_reaches_nobody_but_the_supervisor(tmp_path: Path) -> None:
    with portal(tmp_path) as running:
        running.wait_for("started", 4)
        code, output, errors = running.interrupted()
        assert (code, errors) == (0, "")
        stopped = [name for name, _ in running.notes("stopped")]
        assert stopped == ["web", "worker", "clock", "local-services"]
        assert running.notes("interrupted") == []
        assert output.rstrip().endswith("Stopped.")


def test_it_says_where_to_click_only_when_the_web_answers(tmp_path: Path) -> None:
    with portal(tmp_path) as running:
        running.wait_for("started", 4)
        assert running.process.stdout is not None
        lines = [running.process.stdout.readline() for _ in range(4)]
        assert lines[0] == "prepared\n"
        port = running.environ["PORTAL_PORT"]
        assert lines[2].split()[-1] == f"http://localhost:{port}"
    with portal(tmp_path, "worker") as running:
        running.wait_for("started", 5)
        time.sleep(0.5)
        assert "ready" not in running.interrupted()[1]


def test_a_killed_program_is_started_again_and_the_others_are_left_alone(tmp_path: Path) -> None:
    with portal(tmp_path) as running:
        before = dict(running.wait_for("started", 4))
        os.kill(before["worker"], signal.SIGKILL)
        started = running.wait_for("started", 5)
        assert started[4][0] == "worker"
        assert all(alive(before[name]) for name in ("web", "clock", "local-services"))
        assert "worker ended (signal SIGKILL); starting it again" in running.interrupted()[1]


def test_all_programs_end_when_the_supervisor_is_killed_outright(tmp_path: Path) -> None:
    with portal(tmp_path) as running:
        pids = [pid for _, pid in running.wait_for("started", 4)]
        running.process.kill()
        wait_until(lambda: not any(alive(pid) for pid in pids), 5)


def test_a_program_that_ignores_the_stop_is_killed_after_its_time(tmp_path: Path) -> None:
    with portal(tmp_path, "stubborn", "web") as running:
        pids = [pid for _, pid in running.wait_for("started", 2)]
        assert running.interrupted()[0] == 0
        assert not any(alive(pid) for pid in pids)


def test_a_second_supervisor_on_the_same_folder_names_the_first(tmp_path: Path) -> None:
    with portal(tmp_path) as first:
        first.wait_for("started", 4)
        with portal(tmp_path) as second:
            code, _, errors = second.ended()
        assert code == 1
        assert f"Another portal (process {first.process.pid}) already runs" in errors
        assert errors.count("\n") == 1


def test_a_killed_supervisor_leaves_a_folder_that_the_next_one_takes(tmp_path: Path) -> None:
    with portal(tmp_path) as first:
        first.wait_for("started", 4)
        first.process.kill()
    with portal(tmp_path, PORTAL_PORT=first.environ["PORTAL_PORT"]) as second:
        second.wait_for("started", 8)
        assert second.interrupted()[0] == 0


def test_what_prepare_says_on_failure_is_what_the_user_reads(tmp_path: Path) -> None:
    sentence = "The database does not answer; check DATABASE_URL."
    with portal(tmp_path, prepare=f"import sys; sys.exit({sentence!r})") as running:
        assert running.ended() == (1, "", sentence + "\n")
        assert running.notes("started") == []


def test_the_first_password_reaches_prepare_and_nobody_else(tmp_path: Path) -> None:
    tell = "import os; print(os.environ['PORTAL_ADMIN_PASSWORD'])"
    with portal(tmp_path, prepare=tell, PORTAL_ADMIN_PASSWORD="open sesame") as running:
        pids = [pid for _, pid in running.wait_for("started", 4)]
        environs = [Path(f"/proc/{pid}/environ").read_text() for pid in pids]
        assert not any("open sesame" in environ for environ in environs)
        assert "open sesame" in running.interrupted()[1]


def test_a_program_that_never_starts_ends_the_attempt_with_its_last_words(tmp_path: Path) -> None:
    with portal(tmp_path, "broken", "worker") as running:
        code, _, errors = running.ended(30)
        pids = [pid for _, pid in running.notes("started")]
    assert code == 1
    assert "broken does not start: RuntimeError: no such thing" in errors
    assert not any(alive(pid) for pid in pids)


def test_a_taken_port_is_named_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with portal(tmp_path, PORTAL_EDGE_PORT=str(port)) as running:
            code, _, errors = running.ended()
    assert code == 1
    assert f"Port {port} is already in use" in errors
    assert "PORTAL_EDGE_PORT" in errors
    assert errors.count("\n") == 1
    assert running.notes("started") == []


def test_the_dns_port_must_be_free_for_udp_too() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        ensure_ports_free({"PORTAL_EDGE_PORT": port})
        with pytest.raises(StartError, match="PORTAL_DNS_PORT"):
            ensure_ports_free({"PORTAL_DNS_PORT": port})


def test_ports_follow_the_first_unless_named() -> None:
    environ = {"PORTAL_PORT": "5000", "PORTAL_DNS_PORT": "53"}
    ports = Surroundings.from_environ(environ, ROOT).ports
    assert list(ports.values()) == [5000, 5001, 5002, 53, 5004]


@pytest.mark.parametrize("environ", [{}, {"PORTAL_PORT": "8000"}, {"PORTAL_DEMO_PORT": "99"}])
def test_the_supervisor_and_its_programs_agree_on_every_port(environ: dict[str, str]) -> None:
    surroundings = Surroundings.from_environ(environ, ROOT)
    settings = Settings.from_environ(surroundings.child_environ())
    assert settings == Settings.from_environ({**environ, "PORTAL_DATA_DIR": str(ROOT / "data")})
    for variable, port in surroundings.ports.items():
        assert getattr(settings, variable.removeprefix("PORTAL_").lower()) == port


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", "８０"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(StartError, match="PORTAL_PORT is"):
        Surroundings.from_environ({"PORTAL_PORT": text}, ROOT)


@pytest.mark.parametrize(
    "url", ["redis://:secret@127.0.0.1:1/0", "unix:///nowhere.sock", "redis://x:y"]
)
def test_a_redis_that_does_not_answer_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StartError, match="REDIS_URL") as caught:
        ensure_redis_answers(url)
    assert "secret" not in str(caught.value)


def test_programs_are_given_the_embedded_redis_and_it_ends_with_them(tmp_path: Path) -> None:
    with portal(tmp_path) as running:
        pid = running.wait_for("started", 4)[0][1]
        environ = Path(f"/proc/{pid}/environ").read_text().split("\0")
        url = next(line.partition("=")[2] for line in environ if line.startswith("REDIS_URL="))
        ensure_redis_answers(url)
        assert running.interrupted()[0] == 0
        with pytest.raises(StartError):
            ensure_redis_answers(url)


def test_two_services_on_one_port_are_refused() -> None:
    with pytest.raises(StartError, match="PORTAL_PORT and PORTAL_DNS_PORT are both"):
        ensure_ports_free({"PORTAL_PORT": 9999, "PORTAL_DNS_PORT": 9999})


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StartError, match="PORTAL_DATA_DIR"):
        ensure_data_folder(tmp_path / "file" / "data")


def test_a_new_data_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    ensure_data_folder(tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_the_pause_doubles_up_to_five_seconds_and_is_short_again_after_a_life() -> None:
    pauses = [0.0]
    for _ in range(7):
        pauses.append(next_pause(pauses[-1], lived_seconds=0.1))
    assert pauses[1:] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert next_pause(5.0, lived_seconds=3) == 0.2


def test_a_grown_log_is_set_aside_once(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * 5_000_001)
    os.close(open_log(log))
    assert log.stat().st_size == 0
    assert (tmp_path / "web.log.1").stat().st_size == 5_000_001


def test_a_traceback_of_prepare_becomes_one_sentence(tmp_path: Path) -> None:
    errors = "Traceback (most recent call last):\n  File x\nValueError: odd\n"
    sentence = why_it_failed(errors, tmp_path / "prepare.log")
    assert sentence.startswith("Preparing the data folder failed: ValueError: odd")
    assert "prepare.log" in sentence


def test_what_prepare_logged_is_not_what_the_user_reads(tmp_path: Path) -> None:
    errors = "2026-11-21 22:00:00,123 INFO portal.schema upgrading\nOne thing.\nAnother.\n"
    assert why_it_failed(errors, tmp_path / "prepare.log") == "One thing.\nAnother."
