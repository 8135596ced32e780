"""Asks OSV (osv.dev) once for all pins whether a weakness of one is known, and for how long.

`python -m tests.advisories` ends with 1 when one is known for longer than docs/security.md,
"Updates", allows, with 0 otherwise, and with a sentence where nobody answers.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests import sbom

OSV = "https://api.osv.dev/v1"
SECONDS = 10
SOON, LATER = timedelta(days=7), timedelta(days=30)
Ask = Callable[[str, dict[str, Any] | None], Any]


@dataclass(frozen=True)
class Weakness:
    """What is known of one pin."""

    package: str
    version: str
    name: str
    known_since: datetime
    is_grave: bool

    def is_overdue(self, now: datetime) -> bool:
        return now - self.known_since > (SOON if self.is_grave else LATER)


def over_the_network(root: str = OSV) -> Ask:
    """GET, or POST with JSON. Raises OSError and ValueError."""

    def ask(path: str, body: dict[str, Any] | None) -> Any:
        sent = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json"}
        wish = urllib.request.Request(f"{root}{path}", sent, headers)  # noqa: S310 - https
        with urllib.request.urlopen(wish, timeout=SECONDS) as answer:  # noqa: S310 - the same
            return json.load(answer)

    return ask


def weaknesses(pins: list[tuple[str, str]], ask: Ask) -> list[Weakness]:
    """All that is known of these versions; one question for all, one more for each find."""
    queries = [
        {"package": {"ecosystem": "PyPI", "name": name}, "version": version}
        for name, version in pins
    ]
    results = ask("/querybatch", {"queries": queries})["results"]
    return [
        _weakness(name, version, ask(f"/vulns/{found['id']}", None))
        for (name, version), result in zip(pins, results, strict=True)
        for found in result.get("vulns", [])
    ]


def _weakness(package: str, version: str, told: dict[str, Any]) -> Weakness:
    """Of a gravity that nobody names it is taken as grave."""
    gravity = str(told.get("database_specific", {}).get("severity", "HIGH")).upper()
    since = datetime.fromisoformat(told["published"].replace("Z", "+00:00"))
    return Weakness(package, version, told["id"], since, gravity in ("HIGH", "CRITICAL"))


def main(ask: Ask, now: datetime) -> int:
    """What is known, a line each."""
    pins = [pin for file in sbom.SCOPES for pin in sbom.pins(file)]
    try:
        found = weaknesses(pins, ask)
    except (OSError, ValueError, KeyError) as error:
        print(f"Nobody could be asked for weaknesses ({type(error).__name__}); ask again later.")
        return 0
    for one in found:
        late = "OVERDUE" if one.is_overdue(now) else "in time"
        print(f"{one.package} {one.version}: {one.name}, since {one.known_since:%Y-%m-%d}, {late}")
    print(f"{len(found)} weaknesses of {len(pins)} packages are known.")
    return int(any(one.is_overdue(now) for one in found))


if __name__ == "__main__":
    sys.exit(main(over_the_network(), datetime.now(UTC)))
