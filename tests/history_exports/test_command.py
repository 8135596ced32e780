"""`export-requests`: the list's filters on the command line, bounded memory, whole files only."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from portal import cli
from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.errors import PortalError
from portal.history_exports import command
from tests.history_exports.conftest import environ_of, fill, lines_of
from tests.history_search.conftest import History
from tests.planes import Planes

ROOT = Path(__file__).parent.parent.parent
MEASURED = """
import sys
from portal import cli
code = cli.main(sys.argv[1:])
status = open("/proc/self/status").read()  # ru_maxrss counts the starting process, too
sys.stderr.write(f"peak={status.partition('VmHWM:')[2].split()[0]}\\n")
sys.exit(code)
"""


@pytest.fixture
def number(history: History) -> str:
    """The account's."""
    found = db.session.get_one(Account, history.people.alice.account_id).account_number
    db.session.commit()
    return found


def run(planes: Planes, *words: str, program: str = MEASURED) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, "export-requests", *words],
        cwd=ROOT,
        env=environ_of(planes.settings),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def peak_of(done: subprocess.CompletedProcess[str]) -> int:
    """The most memory that the process ever had, in KB."""
    return int(done.stderr.rpartition("peak=")[2])


def test_a_filtered_file_is_there_whole_and_for_its_owner_only(
    history: History, number: str, planes: Planes, tmp_path: Path
) -> None:
    now = utc_now()
    wanted = history.write("wanted", status=502, at=now - timedelta(hours=1))
    history.write("fine", at=now - timedelta(hours=2))
    history.write("foreign", person=history.people.charlie, status=502, at=now)
    output = tmp_path / "out.jsonl"
    words = ("--format", "jsonl", "--output", str(output), "--range", "7d", "--status", "failed")
    done = run(planes, number, *words)
    assert done.returncode == 0, done.stderr
    assert "1 request in" in done.stderr
    assert "[" not in done.stderr.partition("1 request")[0]  # no bar where nobody looks on
    assert [line["id"] for line in lines_of(output.read_bytes())] == [str(wanted)]
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["out.jsonl"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--status", "hungry"), "Nothing is exported. The status cannot be “hungry”"),
        (("--from", "yesterday"), "A day is written like"),
        (("--client", "nobody"), "The account has no LLM client nobody."),
        (("--output", "/nowhere/at/all.csv"), "/nowhere/at/all.csv: No such file or directory."),
    ],
)
def test_what_makes_no_sense_is_a_sentence_and_no_file(
    number: str, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    given = ["export-requests", number, "--format", "csv", "--output", str(tmp_path / "out.csv")]
    arguments = cli.parser("export-requests").parse_args([*given, *words])
    with pytest.raises(PortalError) as refused:
        command.run(arguments, utc_now())
    assert sentence in refused.value.public_message
    assert not os.listdir(tmp_path)


@pytest.mark.long
def test_a_terminal_sees_a_bar(
    history: History, number: str, planes: Planes, tmp_path: Path
) -> None:
    history.write(at=utc_now() - timedelta(hours=1))
    terminal, end = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "portal.cli", "export-requests", number, "--format", "csv"]
        + ["--output", str(tmp_path / "out.csv")],
        cwd=ROOT,
        env=environ_of(planes.settings),
        stderr=end,
        timeout=60,
        check=False,
    )
    os.close(end)
    seen = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert done.returncode == 0, seen
    assert f"[{'#' * 30}] 100%  1 requests" in seen


@pytest.mark.long
def test_memory_does_not_grow_with_the_history(
    history: History, number: str, planes: Planes, tmp_path: Path
) -> None:
    """Of 100,000 requests as of ten, but for what buffers take."""
    fill(history.people.alice.account_id, 100_000, before=utc_now())
    output = tmp_path / "out.jsonl"
    words = (number, "--format", "jsonl", "--output", str(output))
    few = run(planes, *words, "--session_key", "nobody")
    many = run(planes, *words)
    assert many.returncode == 0, many.stderr
    assert output.read_bytes().count(b"\n") == 100_000
    assert peak_of(many) - peak_of(few) < 20_000
    assert peak_of(many) < 100_000
