"""The worker's checks: leases, batches, lanes, races; with real name servers and the database."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.accounts.models import Account
from portal.app import create_worker_app
from portal.caching import cache
from portal.custom_domains import bulk, claims, holding, hosts, jobs
from portal.custom_domains.hosts import on_change
from portal.custom_domains.models import LLMClientCustomDomain, LLMClientCustomDomainDNS
from portal.database import db, utc_now
from portal.dns import AwaitingOwner, Published, Record
from portal.dns.discovery import DiscoveringResolver
from portal.errors import AdapterError
from portal.job_queue import Ring, perform
from tests.custom_domains.laboratory import DOMAIN, PARENT, TOP, Laboratory
from tests.dns_peers import zone_text
from tests.outside import FakeOutside
from tests.planes import Planes

States = LLMClientCustomDomain.States


@dataclass
class Zone:
    """A customer's zone editor that remembers; it can be told to fail."""

    records: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    error: AdapterError | None = None

    def publish(self, record: Record) -> Published | AwaitingOwner:
        if self.error:
            raise self.error
        self.records[record.name, record.type] = record.values
        return Published("It is there.", changed=True)

    def withdraw(self, record: Record) -> Published | AwaitingOwner:
        if self.error:
            raise self.error
        self.records.pop((record.name, record.type), None)
        return Published("It is gone.", changed=True)


@dataclass
class Worker:
    """A worker whose outside is the laboratory."""

    app: Flask
    laboratory: Laboratory
    zone: Zone

    def add(self, name: str = DOMAIN, **values: Any) -> int:
        account = Account(company_name="Weinhof")
        db.session.add(account)
        db.session.flush()
        domain = claims.add(account, name, utc_now(), None)
        for key, value in values.items():
            setattr(domain, key, value)
        db.session.commit()
        return domain.id

    def publish(self, *ids: int) -> None:
        values = db.session.scalars(
            select(LLMClientCustomDomain.verification_token).where(
                LLMClientCustomDomain.id.in_(ids)
            )
        )
        lines = "".join(f'_llm-verify TXT "llm-verify={token}"\n' for token in values)
        db.session.rollback()
        self.laboratory.serve(lines)

    def due(self) -> list[Ring]:
        found = list(jobs.due_domains(utc_now()))
        db.session.rollback()
        return found

    def ring(self, *rings: Ring) -> None:
        for ring in rings:
            perform(ring.name, *ring.arguments)

    def domain(self, row_id: int) -> LLMClientCustomDomain:
        db.session.rollback()
        found = db.session.get(LLMClientCustomDomain, row_id, populate_existing=True)
        assert found is not None
        return found


@pytest.fixture
def worker(planes: Planes, laboratory: Laboratory) -> Iterator[Worker]:
    zone = Zone()
    outside = replace(
        FakeOutside().adapters(),
        resolver=laboratory.resolver(),
        customer_zone_editor=lambda kind, name, values: zone,
    )
    app = create_worker_app(planes.settings, outside)
    with app.app_context():
        yield Worker(app, laboratory, zone)
        db.session.rollback()
        db.engine.dispose()


def test_a_domain_is_looked_at_and_verified(worker: Worker) -> None:
    row_id = worker.add()
    worker.publish(row_id)
    rings = worker.due()
    assert [ring.arguments for ring in rings] == [(row_id,)]
    worker.ring(*rings)
    domain = worker.domain(row_id)
    assert domain.is_verified
    assert domain.zone_name == DOMAIN
    assert (domain.leased_until, domain.broken_off) == (None, 0)
    assert len(domain.check_results) == 5
    record = db.session.scalars(select(LLMClientCustomDomainDNS)).one()
    assert record.record_name == f"_llm-verify.{DOMAIN}"
    assert record.found is not None
    assert record.found["verdict"] == "pass"
    assert worker.due() == []


def test_twice_changes_nothing(worker: Worker) -> None:
    row_id = worker.add()
    worker.publish(row_id)
    worker.ring(*worker.due())
    before = {**vars(worker.domain(row_id))}
    jobs.verify_custom_domain(row_id)
    after = vars(worker.domain(row_id))
    assert {k: v for k, v in before.items() if k != "_sa_instance_state"} == {
        k: v for k, v in after.items() if k != "_sa_instance_state"
    }


def test_a_look_without_news_empties_no_cache(worker: Worker) -> None:
    row_id = worker.add()
    worker.ring(*worker.due())
    reads = iter(range(10))
    assert cache().get("a page", lambda: next(reads)) == 0
    domain = worker.domain(row_id)
    domain.next_attempt_at = utc_now()
    db.session.commit()
    worker.ring(*worker.due())
    assert cache().get("a page", lambda: next(reads)) == 0
    worker.publish(row_id)
    worker.domain(row_id).next_attempt_at = utc_now()
    db.session.commit()
    worker.ring(*worker.due())
    assert worker.domain(row_id).is_verified
    assert cache().get("a page", lambda: next(reads)) == 1


def test_what_another_has_in_hand_is_left_alone(worker: Worker) -> None:
    row_id = worker.add(leased_until=utc_now() + timedelta(seconds=20))
    assert worker.due() == []
    jobs.verify_custom_domain(row_id)
    assert worker.domain(row_id).checked_at is None


def test_a_late_orphan_writes_nothing(worker: Worker) -> None:
    row_id = worker.add()
    worker.publish(row_id)
    task = jobs._begin(row_id)
    assert task is not None
    domain = worker.domain(row_id)
    claims.rotate_token(domain, utc_now())
    db.session.commit()
    thread = worker.laboratory.threads
    outside = jobs.surroundings.outside_of(jobs.current_adapters(), jobs.current_settings(), thread)
    jobs._store(task, jobs._look(task, jobs.current_adapters(), outside))
    domain = worker.domain(row_id)
    assert not domain.is_verified
    assert domain.checked_at is None


def test_a_wish_that_comes_during_a_look_is_not_lost(worker: Worker) -> None:
    row_id = worker.add()
    task = jobs._begin(row_id)
    assert task is not None
    assert claims.ask_for_check(worker.domain(row_id), utc_now()) == 0
    db.session.commit()
    outside = jobs.surroundings.outside_of(
        jobs.current_adapters(), jobs.current_settings(), worker.laboratory.threads
    )
    jobs._store(task, jobs._look(task, jobs.current_adapters(), outside))
    domain = worker.domain(row_id)
    assert domain.checked_at is not None
    assert domain.next_attempt_at == domain.checked_at
    assert [ring.arguments for ring in worker.due()] == [(row_id,)]


def test_many_are_looked_at_side_by_side_in_lanes(worker: Worker) -> None:
    quick = [worker.add(f"d{number}.test") for number in range(3)]
    slow = worker.add("slow.test", step="slow")
    live = worker.add("live.test", step="live", is_verified=True)
    rings = {ring.name: ring.arguments for ring in worker.due() if slow not in ring.arguments}
    assert sorted(rings["custom_domains.verify_custom_domains"]) == quick
    assert rings["custom_domains.recheck_live_domains"] == (live,)
    assert (slow,) in [ring.arguments for ring in worker.due()]


def test_one_ring_for_equal_wishes(worker: Worker) -> None:
    worker.add()
    first, second = worker.due(), worker.due()
    assert [ring.key for ring in first] == [ring.key for ring in second]


@pytest.mark.long
def test_dead_name_servers_delay_nobody(worker: Worker) -> None:
    port = worker.laboratory.port
    text = "".join(f"dead{n} NS ns1.dead{n}\nns1.dead{n} A 127.0.0.99\n" for n in range(100))
    for one in (worker.laboratory.parent, worker.laboratory.recursive):
        one.serve("test", zone_text("test", TOP + text, servers=f"ns1 A {PARENT}"))
    silence = silent_server("127.0.0.99", port)
    dead = [worker.add(f"dead{n}.test") for n in range(100)]
    row_id = worker.add()
    worker.publish(row_id)
    adapters = replace(
        jobs.current_adapters(),
        resolver=DiscoveringResolver(
            [worker.laboratory.recursive.address],
            authority_port=port,
            allow_private_addresses=True,
        ),
    )
    worker.app.extensions["portal_adapters"] = adapters
    with closing(silence):  # again where other programs had the machine; alone it takes three
        delays = (seconds_until_checked(worker, row_id, *dead) for _ in range(4))
        assert any(seconds < 10 for seconds in delays)
    assert worker.domain(row_id).is_verified
    steps = set(
        db.session.scalars(
            select(LLMClientCustomDomain.step).where(LLMClientCustomDomain.id.in_(dead))
        )
    )
    assert steps == {"slow"}


def seconds_until_checked(worker: Worker, row_id: int, *others: int) -> float:
    """Have all looked at for the first time at once; when the one of them was done."""
    every = update(LLMClientCustomDomain).where(LLMClientCustomDomain.id.in_((row_id, *others)))
    began = utc_now()
    db.session.execute(every.values(step="", next_attempt_at=began))
    db.session.commit()
    worker.ring(*worker.due())
    checked_at = worker.domain(row_id).checked_at
    assert checked_at is not None
    return (checked_at - began).total_seconds()


def silent_server(address: str, port: int) -> socket.socket:
    """Somebody who takes every question and says nothing."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((address, port))
    return listener


def test_a_live_domain_gets_a_short_look(worker: Worker) -> None:
    row_id = worker.add()
    worker.publish(row_id)
    worker.ring(*worker.due())
    domain = worker.domain(row_id)
    assert domain.step == "live"
    generation, events = domain.generation, len(domain.events)
    domain.next_attempt_at = utc_now()
    db.session.commit()
    worker.laboratory.recursive.asked.clear()
    worker.ring(*worker.due())
    domain = worker.domain(row_id)
    assert domain.generation == generation + 1
    assert domain.next_attempt_at - utc_now() > timedelta(hours=5)
    assert len(domain.events) == events
    asked = {name for name, _, _ in worker.laboratory.recursive.asked}
    assert asked == {f"_llm-verify.{DOMAIN}"}


def test_public_resolvers_are_swept(worker: Worker, planes: Planes) -> None:
    row_id = worker.add()
    worker.publish(row_id)
    worker.ring(*worker.due())
    domain = worker.domain(row_id)
    live = [
        bulk.Live(domain.id, number, (bulk.Expected(f"_llm-verify.{DOMAIN}", "TXT", token),))
        for number, token in enumerate([f"llm-verify={domain.verification_token}", "another"], 1)
    ]
    answers = bulk.ask_all(jobs.current_adapters().resolver, live)
    assert [bulk.is_unchanged(*pair) for pair in zip(live, answers, strict=True)] == [True, False]


def test_a_live_domain_that_changed_gets_a_whole_round(worker: Worker) -> None:
    row_id = worker.add()
    worker.publish(row_id)
    worker.ring(*worker.due())
    domain = worker.domain(row_id)
    domain.next_attempt_at = utc_now()
    db.session.commit()
    worker.laboratory.serve("")
    worker.ring(*worker.due())
    domain = worker.domain(row_id)
    assert domain.is_verified
    assert domain.failing_since is None
    assert domain.step == "setting_up"
    worker.ring(*worker.due())
    domain = worker.domain(row_id)
    assert domain.failing_since is not None
    assert domain.is_verified


def test_records_are_published_where_we_may(worker: Worker) -> None:
    row_id = worker.add(zone_editor="rfc2136", wants_wildcard=True)
    worker.ring(*worker.due())
    domain = worker.domain(row_id)
    proof = (f"_llm-verify.{DOMAIN}", "TXT")
    assert worker.zone.records[proof] == (f"llm-verify={domain.verification_token}",)
    assert worker.zone.records[f"*.{DOMAIN}", "CNAME"]
    assert {row.published_by for row in domain.dns_records} == {"rfc2136"}
    domain.wants_wildcard = False
    claims.watch(domain, utc_now())
    db.session.commit()
    worker.ring(*worker.due())
    assert list(worker.zone.records) == [proof]


def test_an_editor_that_refuses_is_named(worker: Worker) -> None:
    worker.zone.error = AdapterError("The name server refused the key.", permanent=True)
    row_id = worker.add(zone_editor="rfc2136")
    worker.ring(*worker.due())
    reasons = {result["reason"] for result in worker.domain(row_id).check_results}
    assert "editor_refused" in reasons


def test_a_domain_that_is_removed_takes_its_records_along(worker: Worker) -> None:
    row_id = worker.add(zone_editor="rfc2136")
    worker.ring(*worker.due())
    assert worker.zone.records
    domain = worker.domain(row_id)
    claims.remove(domain, utc_now())
    db.session.commit()
    assert worker.domain(row_id).state == States.REMOVING
    worker.ring(*worker.due())
    db.session.rollback()
    assert worker.zone.records == {}
    assert db.session.get(LLMClientCustomDomain, row_id, populate_existing=True) is None


def test_every_check_is_told_to_those_who_follow_the_domain(worker: Worker) -> None:
    told: list[bool] = []

    def listen(domain: LLMClientCustomDomain, now: Any) -> None:
        if domain.domain_name == DOMAIN:
            told.append(domain.is_verified)

    on_change(listen)
    try:
        row_id = worker.add()
        worker.ring(*worker.due())
        worker.publish(row_id)
        domain = worker.domain(row_id)
        claims.watch(domain, utc_now())
        db.session.commit()
        worker.ring(*worker.due())
    finally:
        hosts._changed.remove(listen)
    assert told[0] is False
    assert told[-1] is True


@pytest.mark.parametrize("round_number", range(3))
def test_of_two_who_prove_at_the_same_time_one_holds(worker: Worker, round_number: int) -> None:
    ids = [worker.add() for _ in range(4)]
    worker.publish(*ids)
    failures: list[BaseException] = []

    def look(row_id: int) -> None:
        try:
            with worker.app.app_context():
                jobs.verify_custom_domain(row_id)
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=look, args=(row_id,)) for row_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    held = [row_id for row_id in ids if worker.domain(row_id).is_verified]
    assert len(held) == 1


def test_verifying_and_removing_at_the_same_time_ends_removed(worker: Worker) -> None:
    row_id = worker.add()
    worker.publish(row_id)

    def remove() -> None:
        with worker.app.app_context():
            holding.lock_claims(DOMAIN)
            domain = db.session.get(LLMClientCustomDomain, row_id)
            assert domain is not None
            claims.remove(domain, utc_now())
            db.session.commit()

    def look() -> None:
        with worker.app.app_context():
            jobs.verify_custom_domain(row_id)

    run_together(remove, look)
    db.session.rollback()
    left = db.session.get(LLMClientCustomDomain, row_id, populate_existing=True)
    assert left is None or (left.state == States.REMOVING and not left.is_verified)


def run_together(*functions: Callable[[], None]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
