"""What the model is told before the visitor speaks."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

_PREFIX = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d System: ")


def enhanced(role: str, now: datetime, timezone: str) -> str:
    """`2024-06-01 12:00:00 System: You are a helpful assistant.`, the prefix added once.

    `now` is aware; the time is told in `timezone` (an IANA name).
    """
    if _PREFIX.match(role):
        return role
    return f"{now.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M:%S} System: {role}"
