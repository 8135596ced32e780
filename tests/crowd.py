"""What a crowded machine takes from a limit in seconds: the time spent in line for a processor.

Only what Linux itself counts (`schedstat`); elsewhere nothing is given back, and limits stay
as they are.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

PROC = Path("/proc")
Waited = dict[str, int]  # thread -> nanoseconds


class Stopwatch:
    """Seconds since `began`, without those in which our programs stood in line."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self._before = _in_line()

    def seconds(self) -> float:
        """Never less than nothing: programs may stand in several lines at once."""
        stood = sum(waited - self._before.get(thread, 0) for thread, waited in _in_line().items())
        return max(0.0, time.monotonic() - self.began - stood / 1e9)


def _in_line() -> Waited:
    """For each thread of this process and of all that it started."""
    found: Waited = {}
    for process in _family():
        for task in PROC.glob(f"{process}/task/*"):
            try:
                _, waited, _ = (task / "schedstat").read_text().split()
            except (OSError, ValueError):  # it has ended, or nobody counts
                continue
            found[task.name] = int(waited)
    return found


def _family() -> set[int]:
    """This process and its children, theirs too."""
    parents = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(after_name[1])
    family, size = {os.getpid()}, 0
    while size != len(family):
        size = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    return family
