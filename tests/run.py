"""`make test`: the suite on SQLite, without what takes its time, and a sum.

`--rest` is what `.ci/run` adds: what touches a database on PostgreSQL, and on both the part that
takes its time (browsers, kills, faults, whole stacks). Other arguments go to each pytest run, for
instance ARGS="-k deployment".
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
NO_TEST_COLLECTED = 5  # pytest's exit code
DEFAULT = (("sqlite", "short"),)
REST = (("postgresql", "short"), ("sqlite", "long"), ("postgresql", "long"))


def run_engine(engine: str, part: str, arguments: Sequence[str], report: Path) -> int:
    """One pytest run; its exit code. The counts go to `report`."""
    # One more than the cores that the suite is meant for: many tests wait more than they compute,
    # and some of them would take a crowded machine for a silent peer.
    workers = os.environ.get("PORTAL_TEST_WORKERS", "3")
    print(f"\n=== {part.capitalize()} tests on {engine} ===", flush=True)
    command = [sys.executable, "-m", "pytest", f"--database={engine}", f"--part={part}"]
    command += [
        f"--junitxml={report}",
        "-n",
        workers,
        "--dist",
        "worksteal",
        "-q",
        "-r",
        "s",
        *arguments,
    ]
    return subprocess.call(command, env=environment())


def environment() -> dict[str, str]:
    """Of the tests: bytecode is kept, out of the way where none is wanted beside the sources.

    Without it each test process, and each program that a test starts, compiles everything anew.
    """
    found = dict(os.environ)
    if found.pop("PYTHONDONTWRITEBYTECODE", ""):
        found.setdefault("PYTHONPYCACHEPREFIX", str(ROOT / ".pytest_cache" / "bytecode"))
    return found


def counts_of(report: Path) -> Counter[str]:
    """passed, failed and skipped out of pytest's report; empty when it died before writing one."""
    if not report.exists():
        return Counter()
    counts: Counter[str] = Counter()
    for suite in ElementTree.parse(report).iter("testsuite"):  # noqa: S314 - our own file
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        counts.update(failed=failed, skipped=skipped)
        counts["passed"] += int(suite.get("tests", 0)) - failed - skipped
    return counts


def main(arguments: Sequence[str]) -> int:
    """0 when something ran on some engine and nothing failed."""
    total: Counter[str] = Counter()
    codes = []
    runs = REST if "--rest" in arguments else DEFAULT
    passed_on = [argument for argument in arguments if argument != "--rest"]
    with tempfile.TemporaryDirectory(prefix="portal-tests-") as folder:
        for engine, part in runs:
            report = Path(folder) / f"{engine}-{part}.xml"
            codes.append(run_engine(engine, part, passed_on, report))
            total += counts_of(report)
    print(
        f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped",
        flush=True,
    )
    broken = [code for code in codes if code not in (0, NO_TEST_COLLECTED)]
    return 1 if broken or total["failed"] or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
