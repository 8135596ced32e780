"""Whether asking an authority for a host has a chance; said by rooms above, such as domains."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Check = Callable[[str, datetime], str]
_checks: list[Check] = []


def preflight(check: Check) -> Check:
    """Let this function object to asking for a host: a sentence that says why, or nothing."""
    _checks.append(check)
    return check


def objection(host: str, now: datetime) -> str:
    """Why no authority should be asked for the host yet; empty when it may be."""
    return next((sentence for check in _checks if (sentence := check(host, now))), "")
