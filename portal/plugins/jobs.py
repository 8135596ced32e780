"""The worker's part of a test: claim it, call the plugin once, store what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime

from portal.database import current_settings, db, utc_now
from portal.job_queue import Ring, claim, job, rings_of, still_ours, sweep
from portal.plugins import finding, testing
from portal.plugins.models import PluginTest
from portal.plugins.parameters import PluginError

MOST_AT_ONCE = 50


@job
def call_plugin(test_id: int) -> None:
    """Call a plugin with the values of its test."""
    test = claim(PluginTest, test_id, utc_now())
    if test is None or testing.gave_up(test, utc_now()):
        db.session.commit()
        return
    generation, arguments = test.generation, dict(test.arguments)
    plugin = finding.served(test.plugin)
    db.session.rollback()
    started = time.monotonic()
    try:
        allowed = current_settings().allow_private_addresses
        result, works = plugin.call(arguments, allow_private=allowed), True
    except PluginError as error:
        result, works = error.public_message, False
    took_ms = int((time.monotonic() - started) * 1000)
    test = still_ours(PluginTest, test_id, generation)
    if test is not None:
        testing.record(test, result, works=works, took_ms=took_ms, now=utc_now())
    db.session.commit()


@sweep
def due_tests(now: datetime) -> Iterator[Ring]:
    """Tests that are due and in nobody's hands."""
    yield from rings_of(PluginTest, call_plugin, now, most=MOST_AT_ONCE)
