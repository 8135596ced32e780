"""A worker that is killed in the middle of anything: the certificate is there in the end, once."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from portal.adapters import current_adapters
from portal.certificates.models import (
    AuthorityAccountRow,
    CertificateAttempt,
    CertificateOrder,
    OpenChallenge,
)
from portal.database import db, utc_now
from portal.job_queue import Ring, perform, rings_due
from portal.llm_clients.models import LLMClient
from tests.edge_portal import EdgePortal, MakeEdgePortal
from tests.people import MakeClient, People

pytestmark = pytest.mark.long

KILLS = 15
IN_A_ROW = 3  # a run whose attempts die eight times in a row is given up
LEASE_SECONDS = 1


def in_a_child(ring: Ring, seconds: float) -> bool:
    """Do a job in a process of its own that is killed after so long; whether it ended before."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            db.engine.dispose(close=False)
            perform(ring.name, *ring.arguments)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)


def work_under_fire(portal: EdgePortal, chance: random.Random, seconds: float = 60) -> int:
    """Run what is due, most of it killed at a random moment; how many were."""
    killed, in_a_row, deadline = 0, 0, time.monotonic() + seconds
    with portal.planes.worker.app_context():
        while killed < KILLS and time.monotonic() < deadline:
            rings = list(rings_due(utc_now()))
            is_open = db.session.scalars(select(LLMClient)).one().is_open
            db.session.rollback()
            if is_open:
                break
            for ring in rings:
                moment = chance.uniform(0.001, 0.12) if in_a_row < IN_A_ROW else 20
                has_died = not in_a_child(ring, moment)
                killed, in_a_row = killed + has_died, in_a_row + 1 if has_died else 0
            if not rings:
                time.sleep(0.05)
    return killed


@pytest.mark.parametrize("seed", [1, 2])
def test_a_deployment_ends_with_one_account_and_one_certificate(
    make_edge_portal: MakeEdgePortal, make_client: MakeClient, people: People, seed: int
) -> None:
    portal = make_edge_portal(wildcards=bool(seed % 2))
    app = portal.planes.worker
    with app.app_context():
        hurried = replace(portal.settings, job_lease_seconds=LEASE_SECONDS)
        portal.use(hurried, current_adapters())
    client = make_client("guide")
    path = f"/llm-clients/{client}/"
    people.browser(people.alice).post(path + "deploy", {"confirm": "yes"})

    killed = work_under_fire(portal, random.Random(seed))  # noqa: S311 - moments, not secrets
    portal.work(lambda: db.session.scalars(select(LLMClient)).one().is_open, 60)

    assert killed > 3
    with app.app_context():
        host = db.session.scalars(select(LLMClient)).one().default_host
        assert len(db.session.scalars(select(AuthorityAccountRow)).all()) == 1
        [order] = db.session.scalars(select(CertificateOrder))
        assert order.sealed_state == ""
        assert db.session.scalars(select(OpenChallenge)).all() == []
        counted = select(func.count()).where(CertificateAttempt.kind == "order")
        in_ledger = db.session.scalar(counted)
    assert portal.get(host)[0] == 200
    assert portal.door.count("/order-plz") <= in_ledger <= killed + 1
