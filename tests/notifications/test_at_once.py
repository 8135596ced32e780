"""Several workers at once, on the real database: each thing is told once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import time_machine

from portal.accounts.models import Account
from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.notices import damping
from portal.notifications import jobs, monthly_reports
from tests.counted import count
from tests.notifications.conftest import NOON, Tell, mails, notices
from tests.people import MakeClient
from tests.planes import Planes

WORKERS = 4


def by_all(planes: Planes, work: Callable[[], object]) -> None:
    """Do it in several threads that begin together."""
    gate, failures = threading.Barrier(WORKERS), []

    def run() -> None:
        with planes.worker.app_context():
            gate.wait(10)
            try:
                work()
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


def test_what_was_held_is_gathered_by_one(
    told: Tell, planes: Planes, time_machine: time_machine.TimeMachineFixture
) -> None:
    for number in range(9):
        told(NOON + timedelta(minutes=number), damping_key="domain/7")
    held = [notice.id for notice in notices() if notice.held_until]
    db.session.rollback()
    time_machine.move_to(NOON + damping.WINDOW, tick=True)
    by_all(planes, lambda: [jobs.tell_gathered(number) for number in held])
    assert [notice.gathered for notice in notices()] == [0, 0, 0, 6]
    assert len(mails()) == 4


def test_a_report_is_written_by_one(
    planes: Planes, make_client: MakeClient, stored: Callable[[str], LLMClient]
) -> None:
    guide = stored(make_client("guide"))
    db.session.get_one(Account, guide.account_id).created_at = datetime(2026, 1, 1, tzinfo=UTC)
    db.session.commit()
    count(guide, datetime(2026, 11, 5, tzinfo=UTC))
    db.session.rollback()
    by_all(planes, lambda: monthly_reports.write_due(datetime(2026, 12, 2, tzinfo=UTC)))
    assert len(notices()) == len(mails()) == 1
