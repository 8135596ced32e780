"""What a person recognises a browser by: its name and its system, out of the User-Agent header."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portal.accounts.models import UserSession

# The first that fits: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
BROWSERS = (
    ("Edge", r"\bEdg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"\bOPR/(\d+)"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"\b(?:Chrome|CriOS|HeadlessChrome|Chromium)/(\d+)"),
    ("Safari", r"\bVersion/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows NT"),
    ("macOS", "Mac OS X|Macintosh"),
    ("ChromeOS", "CrOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Row:
    """One session of the list."""

    session: UserSession
    device: str
    is_current: bool


def row(session: UserSession, *, is_current: bool) -> Row:
    return Row(session, device_of(session.user_agent), is_current)


def device_of(user_agent: str) -> str:
    """`Firefox 140 on Windows`; what was sent itself where neither is known."""
    browser = next(
        (
            f"{name} {found[1]}"
            for name, pattern in BROWSERS
            if (found := re.search(pattern, user_agent))
        ),
        "",
    )
    system = next((name for name, pattern in SYSTEMS if re.search(pattern, user_agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or user_agent[:60] or "Unknown browser"
