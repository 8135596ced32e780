"""Starts a program that ends with its starter, even when that one is killed outright.

Run as a script between parent and program: it asks the kernel for the signal and becomes the
program. A preexec function would do the same, but not safely in a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1  # linux/prctl.h; the signal outlives exec


def tied(argv: Sequence[str], *, signal_number: int = signal.SIGKILL) -> list[str]:
    """The command line that runs `argv` tied to this process; elsewhere than on Linux, `argv`.

    The kernel watches the starting *thread*: call it from one that lives as long as the program.
    """
    if sys.platform != "linux":
        return list(argv)
    starter = [sys.executable, "-I", "-S", os.path.abspath(__file__)]
    return [*starter, str(os.getpid()), str(int(signal_number)), *argv]


def main(parent: int, signal_number: int, argv: list[str]) -> None:
    """Become `argv`, unless the parent died before the tie was made."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() == parent:
        os.execvp(argv[0], argv)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
