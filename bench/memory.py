"""What everything that `make run` starts weighs when nobody asks for anything.

`python -m bench.memory [--idle 5]`; megabytes of PSS, shared pages counted by their share.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time

from bench.processes import free_port, memory, program


def main() -> None:
    """Start it, leave it alone, weigh it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=float, default=5.0)
    weigh(parser.parse_args().idle)


def weigh(idle: float) -> None:
    """Start everything, leave it alone for so many seconds, and print what each process weighs."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        environ = {"PORTAL_DATA_DIR": folder, "PORTAL_PORT": str(port)}
        with program([sys.executable, "-m", "portal.supervisor"], port, environ) as pid:
            time.sleep(idle)
            found = memory(pid)
    for name, megabytes in found.items():
        print(f"{megabytes:8.1f} MB  {name}")
    print(f"{sum(found.values()):8.1f} MB  in all")


if __name__ == "__main__":
    main()
