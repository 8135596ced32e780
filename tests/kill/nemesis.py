"""Kills a process of the portal outright, again and again, at moments that a seed decides."""

from __future__ import annotations

import random
import signal
import threading
import time

from tests.kill.running_portal import RunningPortal

VICTIMS = ("worker", "horse", "horse", "worker and horse", "web", "web worker", "redis", "clock")
SHORTEST, LONGEST = 0.4, 1.8


class Nemesis(threading.Thread):
    """Each victim falls at least once, in an order of chance; `deeds` tells when and who."""

    def __init__(self, portal: RunningPortal, seed: int, kills: int) -> None:
        super().__init__()
        self._portal = portal
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        rounds = [self._chance.sample(VICTIMS, len(VICTIMS)) for _ in range(kills)]
        self._victims = [name for one_round in rounds for name in one_round][:kills]
        self.deeds: list[tuple[float, str, int]] = []
        self.start()

    def run(self) -> None:
        for name in self._victims:
            time.sleep(self._chance.uniform(SHORTEST, LONGEST))
            # the horse first: a dying worker would leave it to another parent
            for victim in sorted(name.split(" and ")):
                self.deeds.append((time.time(), victim, self._kill(victim)))

    def _kill(self, victim: str) -> int:
        """The number of the killed process; one that is between two lives is waited for shortly."""
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            pid = self._portal.signal(victim, signal.SIGKILL)
            if pid:
                return pid
            time.sleep(0.002)
        return 0
