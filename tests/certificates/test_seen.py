"""What somebody else's certificate was when we saw it: kept, shown, looked at again each day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import current_app
from sqlalchemy import select

from portal.certificates import expiring, seen
from portal.certificates.models import SeenCertificate
from portal.certificates.page import certificate_view
from portal.certificates.seen_jobs import due_looks, look_at_certificate
from portal.custom_domains.hosts import announce_visit
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.llm_clients.deployment import jobs
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.notices.kinds import Kind, Level
from portal.notices.models import Notice
from portal.notifications.certificate_jobs import (
    seen_certificates_that_run_out,
    tell_of_seen_expiry,
)
from portal.tls import Issuance
from portal.tls.probe import Probe
from tests.outside import FakeOutside, issuance
from tests.people import MakeClient, People
from tests.planes import Planes

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Kinds = Deployment.Kinds
Act = Callable[[Deployment.Kinds], None]


class Edge(FakeOutside):
    """An edge that gets its certificates itself; `shows` is what a visitor is served."""

    shows: Probe

    def request(self, names: tuple[str, ...], now: datetime, state: dict[str, object]) -> Issuance:
        return issuance("elsewhere", now=now, message="The edge gets it.")

    def handshake(
        self, name: str, address: str, port: int, now: datetime, *, expected_chain_pem: str = ""
    ) -> Probe:
        return self.shows


def shown(serial: str = "ab12", until: datetime = NOON + 90 * DAY) -> Probe:
    begin = until - 90 * DAY
    return Probe(True, "", "Good.", "CN=R11,O=Let's Encrypt,C=US", serial, begin, until)


@pytest.fixture(params=["edge", "cert_manager"])
def edge(request: pytest.FixtureRequest, planes: Planes, fake: FakeOutside) -> Iterator[Edge]:
    """A portal whose certificates are kept by somebody else."""
    found = Edge()
    found.shows = shown()
    apps = (planes.worker, planes.admin)
    before = [app.extensions["portal_settings"] for app in apps]
    for app, settings in zip(apps, before, strict=True):
        app.extensions["portal_settings"] = replace(settings, issuer=request.param)
    current_app.extensions["portal_adapters"] = found.adapters()
    yield found
    for app, settings in zip(apps, before, strict=True):
        app.extensions["portal_settings"] = settings


@pytest.fixture
def client(make_client: MakeClient, time_machine: time_machine.TimeMachineFixture) -> str:
    time_machine.move_to(NOON, tick=False)
    return make_client("guide")


@pytest.fixture
def act(edge: Edge, client: str) -> Act:
    """Begin a run and let the jobs end it."""

    def run(kind: Deployment.Kinds) -> None:
        llm_client = db.session.scalars(select(LLMClient)).unique().one()
        found = jobs.begin(llm_client, kind, utc_now(), None)
        db.session.commit()
        jobs.advance_deployment(found.id)

    return run


def row() -> SeenCertificate:
    db.session.expire_all()
    return db.session.scalars(select(SeenCertificate)).one()


def test_a_deployment_keeps_what_it_saw(act: Act, people: People) -> None:
    act(Kinds.DEPLOY)
    found = row()
    assert (found.serial, found.not_after) == ("ab12", NOON + 90 * DAY)
    page = certificate_view(people.alice.account_id, found.hostname, "Issued", NOON)
    assert page.issuer == "Let's Encrypt R11"
    assert page.seen_at == NOON
    assert page.renewed_by in ("the TLS edge", "cert-manager")
    assert page.renew_at is None


def test_it_is_on_the_clients_pages(act: Act, people: People, client: str) -> None:
    browser = people.browser(people.vera)
    path = f"/llm-clients/{client}/"
    before = browser.get(f"{path}certificates")
    assert "we have not seen it yet" in before.words
    act(Kinds.DEPLOY)
    page = browser.get(f"{path}certificates")
    assert "ab12" in [code.get_text() for code in page.html.select("dd code")]
    assert "Renewed by" in page.words
    assert "Next renewal" not in page.words
    assert "Let's Encrypt R11, valid until 2027-05-30" in browser.get(path).words


def test_a_host_that_is_closed_is_forgotten(act: Act) -> None:
    act(Kinds.DEPLOY)
    act(Kinds.UNDEPLOY)
    assert db.session.scalars(select(SeenCertificate)).all() == []


def look(when: datetime, time_machine: time_machine.TimeMachineFixture) -> int:
    """Let the worker look at what is due then; how many there were."""
    time_machine.move_to(when, tick=False)
    rings = list(due_looks(when))
    for ring in rings:
        look_at_certificate(*ring.arguments)
    return len(rings)


def test_a_renewal_is_noticed_within_a_day(
    act: Act, edge: Edge, time_machine: time_machine.TimeMachineFixture
) -> None:
    act(Kinds.DEPLOY)
    edge.shows = shown("cd34", NOON + 150 * DAY)
    assert look(NOON + DAY / 2, time_machine) == 0
    assert look(NOON + DAY, time_machine) == 1
    assert (row().serial, row().seen_at) == ("cd34", NOON + DAY)


def test_a_handshake_that_shows_none_leaves_what_was_seen_with_its_time(
    act: Act, edge: Edge, time_machine: time_machine.TimeMachineFixture
) -> None:
    act(Kinds.DEPLOY)
    edge.shows = Probe(False, "handshake_failed", "The edge does not answer.")
    look(NOON + DAY, time_machine)
    found = row()
    assert (found.serial, found.seen_at, found.message) == ("ab12", NOON, edge.shows.message)
    assert look(NOON + 2 * DAY, time_machine) == 1


def told(when: datetime, time_machine: time_machine.TimeMachineFixture) -> list[Notice]:
    """Let the worker look and tell what is due then; all notices of it so far."""
    time_machine.move_to(when, tick=False)
    for _ in range(2):
        for ring in seen_certificates_that_run_out(when):
            tell_of_seen_expiry(*ring.arguments)
        look(when, time_machine)
    db.session.expire_all()
    query = select(Notice).where(Notice.kind == Kind.CERTIFICATE_EXPIRING).order_by(Notice.id)
    return list(db.session.scalars(query))


def test_people_are_told_at_the_marks_of_own_certificates_once_for_each(
    act: Act, time_machine: time_machine.TimeMachineFixture
) -> None:
    act(Kinds.DEPLOY)
    for day in (75, 76, 77, 83, 87, 88, 90, 91):
        look(NOON + day * DAY - timedelta(minutes=5), time_machine)
        found = told(NOON + day * DAY, time_machine)
    host = row().hostname
    assert [notice.subject for notice in found] == [
        f"The certificate of {host} expires in 14 days",
        f"The certificate of {host} expires in 7 days",
        f"The certificate of {host} expires in 3 days",
        f"The certificate of {host} has expired",
    ]
    assert [notice.level for notice in found] == [Level.LOOK] * 3 + [Level.BAD]
    assert f"It is renewed by {seen.keeper()}" in found[0].text
    assert "The next look is on" in found[0].text


def test_nobody_is_told_of_one_that_a_look_before_finds_renewed(
    act: Act, edge: Edge, time_machine: time_machine.TimeMachineFixture
) -> None:
    act(Kinds.DEPLOY)
    late = NOON + 77 * DAY
    look(late - DAY / 2, time_machine)
    edge.shows = shown("cd34", NOON + 160 * DAY)
    assert told(late, time_machine) == []
    assert (row().serial, row().seen_at) == ("cd34", late)


def test_nobody_is_told_of_one_that_was_not_seen_for_days(
    act: Act, time_machine: time_machine.TimeMachineFixture
) -> None:
    act(Kinds.DEPLOY)
    time_machine.move_to(NOON + 80 * DAY, tick=False)
    assert list(seen_certificates_that_run_out(utc_now())) == []


def test_another_certificate_has_marks_of_its_own(
    act: Act, edge: Edge, time_machine: time_machine.TimeMachineFixture
) -> None:
    act(Kinds.DEPLOY)
    look(NOON + 77 * DAY, time_machine)
    assert len(told(NOON + 77 * DAY, time_machine)) == 1
    edge.shows = shown("cd34", NOON + 92 * DAY)
    look(NOON + 78 * DAY, time_machine)
    assert len(told(NOON + 78 * DAY, time_machine)) == 2


def test_a_check_of_the_domain_refreshes_what_it_has_seen_of_open_hosts(
    act: Act, people: People, time_machine: time_machine.TimeMachineFixture
) -> None:
    act(Kinds.DEPLOY)
    host, later = row().hostname, NOON + DAY / 2
    pairs = ((host, shown("cd34")), ("other.example.com", shown("ef56")))
    domain = LLMClientCustomDomain(
        account_id=people.alice.account_id, domain_name="example.com", verification_token="x"
    )
    db.session.add(domain)
    announce_visit(domain, pairs, later)
    db.session.commit()
    found = row()
    assert (found.serial, found.seen_at, found.next_attempt_at) == ("cd34", later, later + DAY)


def test_one_that_is_not_renewed_is_warned_of_and_only_while_it_is_seen(
    act: Act, people: People, time_machine: time_machine.TimeMachineFixture
) -> None:
    act(Kinds.DEPLOY)
    account_id = people.alice.account_id
    late = NOON + 84 * DAY
    assert expiring.warnings(account_id, late) == []  # last seen 84 days ago: who knows
    look(late, time_machine)
    [warning] = expiring.warnings(account_id, late)
    assert warning.days_left == 6
    assert seen.keeper() in warning.trouble
    assert "24 May 2027" in warning.trouble
    assert expiring.warnings(people.charlie.account_id, late) == []
