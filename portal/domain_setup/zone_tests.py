"""Testing a zone editor's settings as verbs: begin, and store what came of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from portal.domain_setup.models import ZoneEditorTest
from portal.formatting import StatusView, status_view

RUNNING, WORKS, FAILED = "running", "works", "failed"
MOST_BROKEN_OFF = 3
BROKE_OFF = "The worker broke off while testing; its log says why."
LOOKS: dict[str, StatusView] = {
    "": status_view("off", "Not tested"),
    RUNNING: status_view("progress", "Being tested"),
    WORKS: status_view("ready", "Works"),
    FAILED: status_view("failed", "Does not work"),
}


def test_of(custom_domain: LLMClientCustomDomain) -> ZoneEditorTest | None:
    """The last test of the editor that is chosen now; none of one that was chosen before."""
    found = _row(custom_domain)
    return found if found is not None and found.zone_editor == custom_domain.zone_editor else None


def _row(custom_domain: LLMClientCustomDomain) -> ZoneEditorTest | None:
    query = select(ZoneEditorTest).where(ZoneEditorTest.custom_domain_id == custom_domain.id)
    return db.session.scalar(query)


def begin(custom_domain: LLMClientCustomDomain, now: datetime) -> ZoneEditorTest:
    """Wish for a test, due now; one that is under way is enough. The caller holds the domain."""
    found = _row(custom_domain)
    if found is None:
        found = ZoneEditorTest(custom_domain_id=custom_domain.id)
        db.session.add(found)
    elif found.state == RUNNING and found.zone_editor == custom_domain.zone_editor:
        return found
    found.zone_editor, found.state = custom_domain.zone_editor, RUNNING
    found.result, found.next_attempt_at = "", now
    found.broken_off = found.attempt = 0
    db.session.flush()
    return found


def forget(custom_domain: LLMClientCustomDomain) -> None:
    """Other settings: what the last test said of the ones before is no longer true."""
    found = _row(custom_domain)
    if found is not None:
        db.session.delete(found)
        db.session.flush()


def record(found: ZoneEditorTest, result: str, *, works: bool, now: datetime) -> None:
    """Keep the sentence of the editor, or the reason why it may not write."""
    found.result, found.state = result[:1000], WORKS if works else FAILED
    found.tested_at = now
    found.next_attempt_at = found.leased_until = None
    found.broken_off = 0


def gave_up(found: ZoneEditorTest, now: datetime) -> bool:
    """Whether the worker broke off too often at this test; then it is over."""
    if found.broken_off <= MOST_BROKEN_OFF:
        return False
    record(found, BROKE_OFF, works=False, now=now)
    return True
