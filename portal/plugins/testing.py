"""Testing a plugin as verbs: begin with the given values, and store what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.database import db
from portal.formatting import status_view
from portal.plugins.models import Plugin, PluginTest

RUNNING, WORKS, FAILED = "running", "works", "failed"
MOST_BROKEN_OFF = 3
LONGEST_RESULT = 16_000
BROKE_OFF = "The worker broke off while testing; its log says why."
LOOKS = {
    "": status_view("off", "Not tested"),
    RUNNING: status_view("progress", "Being tested"),
    WORKS: status_view("ready", "Works"),
    FAILED: status_view("failed", "Does not work"),
}


def test_of(plugin: Plugin) -> PluginTest | None:
    """The plugin's last test."""
    return db.session.scalar(select(PluginTest).where(PluginTest.plugin_id == plugin.id))


def states_of(plugins: list[Plugin]) -> dict[int, PluginTest]:
    """The last tests of these plugins by the plugin's number."""
    numbers = [plugin.id for plugin in plugins]
    query = select(PluginTest).where(PluginTest.plugin_id.in_(numbers))
    return {found.plugin_id: found for found in db.session.scalars(query)}


def begin(plugin: Plugin, arguments: dict[str, Any], now: datetime) -> PluginTest:
    """Wish for a test with these values, due now; one that is under way is enough.

    The caller holds the plugin's row.
    """
    found = test_of(plugin)
    if found is None:
        found = PluginTest(plugin_id=plugin.id)
        db.session.add(found)
    elif found.state == RUNNING:
        return found
    found.state, found.arguments = RUNNING, arguments
    found.result, found.is_cut, found.milliseconds = "", False, 0
    found.next_attempt_at = now
    found.broken_off = found.attempt = 0
    db.session.flush()
    return found


def record(found: PluginTest, result: str, *, works: bool, took_ms: int, now: datetime) -> None:
    """Keep what a model would have read."""
    found.result, found.is_cut = result[:LONGEST_RESULT], len(result) > LONGEST_RESULT
    found.milliseconds = took_ms
    found.state = WORKS if works else FAILED
    found.tested_at = now
    found.next_attempt_at = found.leased_until = None
    found.broken_off = 0


def gave_up(found: PluginTest, now: datetime) -> bool:
    """Whether the worker broke off too often at this test; then it is over."""
    if found.broken_off <= MOST_BROKEN_OFF:
        return False
    record(found, BROKE_OFF, works=False, took_ms=0, now=now)
    return True
