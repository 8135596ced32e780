"""The worker's part of a test: write a record into the zone, remove it, say what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.adapters import current_adapters
from portal.custom_domains import records, zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.domain_setup import zone_tests
from portal.domain_setup.models import ZoneEditorTest
from portal.errors import AdapterError, PortalError
from portal.job_queue import Ring, claim, job, rings_of, still_ours, sweep

MOST_AT_ONCE = 50


@job
def try_zone_editor(test_id: int) -> None:
    """Try the editor of a test's domain."""
    test = claim(ZoneEditorTest, test_id, utc_now())
    if test is None or zone_tests.gave_up(test, utc_now()):
        db.session.commit()
        return
    generation = test.generation
    try:
        kind, zone, values = _settings_of(test.custom_domain)
        db.session.rollback()
        editor = current_adapters().customer_zone_editor(kind, zone, values)
        result, works = editor.try_out(), True
    except PortalError as error:
        result, works = _words(error), False
    test = still_ours(ZoneEditorTest, test_id, generation)
    if test is not None:
        zone_tests.record(test, result, works=works, now=utc_now())
    db.session.commit()


def _settings_of(custom_domain: LLMClientCustomDomain) -> tuple[str, str, dict[str, str]]:
    zone = records.zone_guess(custom_domain.domain_name, custom_domain.zone_name)
    return custom_domain.zone_editor, zone, zone_editing.values_of(custom_domain)


def _words(error: PortalError) -> str:
    detail = error.detail if isinstance(error, AdapterError) else ""
    return f"{error.public_message} {detail}".strip()


@sweep
def due_tests(now: datetime) -> Iterator[Ring]:
    """Tests that are due and in nobody's hands."""
    yield from rings_of(ZoneEditorTest, try_zone_editor, now, most=MOST_AT_ONCE)
