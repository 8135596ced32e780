"""How many calls of Python functions a prompt costs, which no neighbour on the machine changes.

`python -m bench.prompt_calls [--prompts 300] [--most 15]`; see bench/README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import json
import os
import pstats
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from werkzeug.test import EnvironBuilder, run_wsgi_app

from bench.load import PLAIN
from bench.processes import free_port, program
from bench.rig import deployed_client, rig
from portal.app import create_serving_app
from portal.request_history.recording import Recorder

WARM_UP = 50
PACKAGES = f"{os.sep}site-packages{os.sep}"


@contextlib.contextmanager
def prompting() -> Iterator[Callable[[], None]]:
    """Asks one prompt in this process, without the web server; the provider is another process."""
    with contextlib.ExitStack() as held:
        port = free_port()
        command = [sys.executable, "-m", "bench.provider", str(port)]
        held.enter_context(program(command, port))
        found = held.enter_context(rig(free_port()))
        host = deployed_client(found, "bench0", f"http://127.0.0.1:{port}/0/v1")
        app = create_serving_app(found.settings)
        base_url = f"http://{host}:{found.settings.port}"
        body = json.dumps(PLAIN)

        def ask() -> None:
            sent = EnvironBuilder(
                "/prompt/", base_url, method="POST", data=body, content_type="application/json"
            )
            answer, status, _ = run_wsgi_app(app.wsgi_app, sent.get_environ(), buffered=True)
            if not status.startswith("200"):
                raise RuntimeError(b"".join(answer).decode())

        yield ask


@contextlib.contextmanager
def writing_into(profile: cProfile.Profile) -> Iterator[None]:
    """What the thread that writes the history does meanwhile, which is a thread of its own."""
    write = Recorder._write

    def profiled(recorder: Recorder, batch: list[Any]) -> None:
        profile.enable()
        try:
            write(recorder, batch)
        finally:
            profile.disable()

    Recorder._write = profiled  # type: ignore[method-assign]
    try:
        yield
    finally:
        Recorder._write = write  # type: ignore[method-assign]


def part_of(path: str) -> str:
    """Whose a function is: a package, one of the portal's, the standard library or C."""
    if path.startswith(("~", "<")):
        return "C"
    if PACKAGES in path:
        return path.split(PACKAGES)[1].split(os.sep)[0]
    own = os.path.relpath(path)
    return "/".join(own.split(os.sep)[:2]) if own.startswith("portal") else "Python's library"


def show(title: str, profile: cProfile.Profile, prompts: int, most: int) -> None:
    """The calls of a prompt, by part."""
    stats: Any = pstats.Stats(profile)
    calls: Counter[str] = Counter()
    for (path, _, _), (_, count, _, _, _) in stats.stats.items():
        calls[part_of(path)] += count
    print(f"\n{title}: {stats.total_calls / prompts:,.0f} calls a prompt")
    for part, count in calls.most_common(most):
        print(f"  {count / prompts:8.1f}  {part}")


def measure(prompts: int, most: int) -> None:
    """Once with counting, once without for the processor's time."""
    asked, written = cProfile.Profile(), cProfile.Profile()
    with prompting() as ask:
        for _ in range(WARM_UP):
            ask()
        with writing_into(written):
            asked.enable()
            for _ in range(prompts):
                ask()
            asked.disable()
        started = time.process_time()
        for _ in range(prompts):
            ask()
        spent = time.process_time() - started
    show("The request", asked, prompts, most)
    show("The writer of the history", written, prompts, most)
    print(f"\n{1000 * spent / prompts:.2f} ms of processor a prompt, one after the other")


def main() -> None:
    """Some ten seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=300)
    parser.add_argument("--most", type=int, default=15, help="parts that are shown")
    chosen = parser.parse_args()
    measure(chosen.prompts, chosen.most)


if __name__ == "__main__":
    main()
