"""The portal as `make run` starts it, its processes killed outright: nothing is lost or stuck."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portal.tls.probe import probe
from tests.kill.admin import Admin
from tests.kill.nemesis import Nemesis
from tests.kill.running_portal import LOOPBACK, RunningPortal, running_portal, wait_until
from tests.kill.visitors import Notes, Visitors

STUCK_SECONDS = 60
READY = "deployed AND dns_verification_status = 'Verified'"
READY += " AND tls_certificate_issuance_status = 'Issued'"


def ready_names(portal: RunningPortal) -> set[str]:
    """The clients that answer on their address, and on which nobody works any more."""
    working = "SELECT llm_client_id FROM deployments WHERE state = 'active'"
    return {
        str(name)
        for (name,) in portal.rows(
            f"SELECT name FROM llm_clients WHERE {READY} AND id NOT IN ({working})"  # noqa: S608
        )
    }


def hosts_of(portal: RunningPortal, names: set[str]) -> dict[str, str]:
    """The address of each client."""
    found = portal.rows(
        "SELECT c.name, h.hostname FROM llm_clients c JOIN llm_client_hosts h"
        " ON h.llm_client_id = c.id WHERE h.state = 'current'"
    )
    return {name: host for name, host in found if name in names}


def wait_until_ready(portal: RunningPortal, names: set[str], seconds: float) -> None:
    """Fails with the rows of what is not."""
    wait_until(
        lambda: names <= ready_names(portal),
        seconds,
        lambda: portal.rows(
            "SELECT c.name, d.state, d.step, d.attempt, d.message, d.leased_until,"
            " d.next_attempt_at FROM deployments d JOIN llm_clients c ON c.id = d.llm_client_id"
            " WHERE d.state <> 'done'"
        ),
    )


def deployed(portal: RunningPortal, admin: Admin, prefix: str, count: int) -> list[str]:
    """The addresses of so many new clients that visitors may use."""
    names = {f"{prefix}{number}" for number in range(count)}
    for path in [admin.create(name) for name in sorted(names)]:
        admin.deploy(path)
    wait_until_ready(portal, names, 20)
    return sorted(hosts_of(portal, names).values())


def storm(portal: RunningPortal, clients: int, prompts: int, kills: int, seed: int) -> None:
    """Deploy and prompt while everything dies at random, then hold the books against the notes."""
    admin = Admin(portal)
    open_hosts = deployed(portal, admin, "open", 4)
    names = {f"deployed{number}" for number in range(clients)}
    paths = [admin.create(name) for name in sorted(names)]
    print(f"seed {seed}")
    nemesis = Nemesis(portal, seed, kills)
    visitors = Visitors(portal, open_hosts, prompts, threads=16)
    for path in paths:
        admin.deploy(path)
    nemesis.join()
    print([(round(at, 1), name, pid) for at, name, pid in nemesis.deeds])
    visitors.finish(45)
    wait_until_ready(portal, names, STUCK_SECONDS)

    assert visitors.notes.sent >= prompts, "too few prompts got through to tell anything"
    assert len(visitors.notes.acknowledged) > prompts / 2
    the_books_agree(portal, visitors.notes)
    wait_until(portal.is_healthy, 10)
    for name, host in hosts_of(portal, names).items():
        shakes_hands(portal, name, host)


def the_books_agree(portal: RunningPortal, notes: Notes) -> None:
    """Acknowledged: there once, as answered. Unknown: there once or not. Never sent: not there."""
    time.sleep(1)  # what visitors gave up may still be on its way to the history
    rows = portal.rows("SELECT question_preview, status FROM llm_client_requests")
    times = Counter(question for question, _ in rows)
    answered = Counter(question for question, status in rows if status == 200)
    lost = [message for message in notes.acknowledged if answered[message] == 0]
    assert not lost, f"{len(lost)} acknowledged prompts are not in the history"
    twice = [message for message, count in times.items() if count > 1]
    assert not twice, f"{len(twice)} prompts are in the history twice"
    invented = [message for message in notes.never_sent if message in times]
    assert not invented, f"{len(invented)} prompts are in the history that were never sent"
    known = {*notes.acknowledged, *notes.refused, *notes.unknown}
    assert set(times) <= known, "the history holds what nobody asked"


def shakes_hands(portal: RunningPortal, name: str, host: str) -> None:
    """A visitor's browser accepts the certificate that the edge shows for this host."""
    roots = (portal.folder / "data" / "tls" / "ca.pem").read_text()
    found = probe(host, LOOPBACK, portal.edge_port, datetime.now(UTC), roots)
    assert found.ok, f"{name}: {found.message}"


@pytest.mark.engine_independent
def test_killed_at_random_during_deployments_and_prompts_it_loses_nothing(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    with running_portal(tmp_path) as portal:
        storm(portal, clients=20, prompts=500, kills=16, seed=seed)


def test_the_same_on_postgresql(tmp_path: Path, own_postgres_url: str) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    with running_portal(tmp_path, DATABASE_URL=own_postgres_url) as portal:
        storm(portal, clients=8, prompts=150, kills=8, seed=seed)


@pytest.mark.engine_independent
def test_what_a_flushed_or_killed_queue_held_is_done_all_the_same(tmp_path: Path) -> None:
    with running_portal(tmp_path) as portal:
        admin = Admin(portal)
        names = [f"queued{number}" for number in range(9)]
        paths = [admin.create(name) for name in names]
        broken_off(portal, admin, paths[8])

        portal.signal("worker", signal.SIGSTOP)
        for path in paths[:4]:
            admin.deploy(path)
        wait_until(lambda: int(portal.redis().llen("rq:queue:portal")) >= 4, 5)
        portal.redis().flushall()
        for path in paths[4:8]:
            admin.deploy(path)
        portal.signal("redis", signal.SIGKILL)
        portal.signal("worker", signal.SIGCONT)
        wait_until_ready(portal, set(names[:8]), 30)
        wait_until_ready(portal, set(names), STUCK_SECONDS)


def broken_off(portal: RunningPortal, admin: Admin, path: str) -> None:
    """Press Deploy, and kill worker and horse while the name server keeps a step waiting."""
    portal.signal("local-services", signal.SIGSTOP)
    admin.deploy(path)
    leased = "SELECT id FROM deployments WHERE leased_until IS NOT NULL"
    wait_until(lambda: bool(portal.rows(leased)), 10)
    horse = portal.signal("horse", signal.SIGKILL)
    worker = portal.signal("worker", signal.SIGKILL)
    portal.signal("local-services", signal.SIGCONT)
    assert horse, "nobody was at work"
    assert worker
