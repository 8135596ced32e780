"""Reasons that need more than name servers: BIND with a key, TLS in use, an authority that says no.

The rows are those that the worker's own job stores.
"""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import select

from portal.accounts.models import Account, User
from portal.adapters import zone_editor_for
from portal.app import create_worker_app
from portal.certificates.models import CertificateOrder
from portal.custom_domains import claims, jobs, zone_editing
from portal.custom_domains.looks import look_now
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.records import ownership_value
from portal.custom_domains.results import Acts, CheckResult, Checks, Reasons, Verdicts
from portal.database import db, utc_now
from portal.dns import Record
from portal.dns.rfc2136 import Rfc2136ZoneEditor
from portal.llm_clients.deployment import custom, runs
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.tls import Issuance
from portal.tls.local import LocalIssuer
from portal.tls.probe import probe
from tests.custom_domains.laboratory import DOMAIN, EDGE, HOST, NOW, Laboratory, host, row
from tests.dns_peers import Peer, StartPeer, zone_text
from tests.edge_portal import EdgePortal, MakeEdgePortal
from tests.faulty_pebble import PROBLEM, problem
from tests.outside import FakeOutside
from tests.people import MakeClient, People
from tests.planes import Planes

EXISTS, OWNERSHIP, ROUTING, ISSUABLE, HTTPS = Checks
WRONG_SECRET = base64.b64encode(b"another thirty-two octets, alas!").decode()


@dataclass
class Rounds:
    """The worker's job for domains whose zones are those of the laboratory."""

    laboratory: Laboratory

    def claim(self, company: str, **more: Any) -> int:
        account = Account(company_name=company)
        db.session.add(account)
        db.session.flush()
        domain = claims.add(account, DOMAIN, utc_now(), None, **more)
        db.session.commit()
        return domain.id

    def publish(self, *ids: int) -> None:
        """The proofs of these claims in the zone, and no other record."""
        values = [ownership_value(self.domain(one).verification_token) for one in ids]
        db.session.rollback()
        self.laboratory.serve("".join(f'_llm-verify TXT "{value}"\n' for value in values))

    def domain(self, row_id: int) -> LLMClientCustomDomain:
        return db.session.get_one(LLMClientCustomDomain, row_id, populate_existing=True)

    def look(self, row_id: int, check: Checks) -> CheckResult:
        """A round now; what the row says of the check afterwards."""
        self.domain(row_id).next_attempt_at = utc_now()
        db.session.commit()
        jobs.verify_custom_domain(row_id)
        return stored_row(self.domain(row_id), check)


def stored_row(domain: LLMClientCustomDomain, check: Checks) -> CheckResult:
    results = [CheckResult.from_json(values) for values in domain.check_results]
    return next(one for one in results if one.check == check)


@pytest.fixture
def rounds(planes: Planes, laboratory: Laboratory) -> Iterator[Rounds]:
    outside = replace(
        FakeOutside().adapters(),
        resolver=laboratory.resolver(),
        customer_zone_editor=partial(zone_editor_for, planes.settings),
    )
    app = create_worker_app(planes.settings, outside)
    with app.app_context():
        yield Rounds(laboratory)
        db.session.rollback()
        db.engine.dispose()


def use_editor(domain: LLMClientCustomDomain, bind: Peer, **changes: str) -> None:
    values = {**bind.zone_editor_settings(DOMAIN), **changes}
    zone_editing.keep_values(domain, "rfc2136", Rfc2136ZoneEditor.settings, values)
    db.session.commit()


def test_editor_refused_by_a_name_server_that_knows_another_secret(
    rounds: Rounds, start_bind: StartPeer
) -> None:
    bind = start_bind({DOMAIN: zone_text(DOMAIN, "")})
    rounds.laboratory.serve("")
    row_id = rounds.claim("Weinhof")
    use_editor(rounds.domain(row_id), bind, secret=WRONG_SECRET)
    found = rounds.look(row_id, OWNERSHIP)
    assert found.reason == Reasons.EDITOR_REFUSED
    assert (found.verdict, found.who_acts) == (Verdicts.WRONG, Acts.PLATFORM)
    assert found.detail == "The name server does not accept the portal's key."
    assert found.detail in found.sentence

    use_editor(rounds.domain(row_id), bind)
    assert rounds.look(row_id, OWNERSHIP).reason != Reasons.EDITOR_REFUSED
    assert {one.published_by for one in rounds.domain(row_id).dns_records} == {"rfc2136"}


def test_taken_by_the_account_that_proved_it_first(rounds: Rounds) -> None:
    first = rounds.claim("Weinhof")
    rounds.publish(first)
    assert rounds.look(first, OWNERSHIP).verdict == Verdicts.PASS
    second = rounds.claim("Another", claims_held=True)
    assert rounds.look(second, OWNERSHIP).reason != Reasons.TAKEN  # nothing is proved yet

    rounds.publish(first, second)
    found = rounds.look(second, OWNERSHIP)
    assert found.reason == Reasons.TAKEN
    assert (found.verdict, found.who_acts) == (Verdicts.WAIT, Acts.NOBODY)
    assert ownership_value(rounds.domain(first).verification_token) in found.fix
    assert rounds.look(first, OWNERSHIP).verdict == Verdicts.PASS
    assert [rounds.domain(one).is_verified for one in (first, second)] == [True, False]


def test_reserved_once_the_platform_takes_the_name_for_itself(rounds: Rounds) -> None:
    row_id = rounds.claim("Weinhof")
    rounds.publish(row_id)
    with platform_named(f"edge.{DOMAIN}"):
        found = rounds.look(row_id, EXISTS)
    assert found.reason == Reasons.RESERVED
    assert (found.verdict, found.who_acts) == (Verdicts.WRONG, Acts.CUSTOMER)
    assert found.detail in found.sentence
    assert not rounds.domain(row_id).is_verified


@contextmanager
def platform_named(edge_host: str) -> Iterator[None]:
    """The installation as if its operator had given the edge this name."""
    extensions = current_app.extensions
    before = extensions["portal_settings"]
    extensions["portal_settings"] = replace(before, edge_host=edge_host)
    yield
    extensions["portal_settings"] = before


@contextmanager
def visitors_get(shown: Issuance, folder: Path) -> Iterator[int]:
    """A web server on loopback that shows this certificate; its port."""
    file = folder / "shown.pem"
    file.write_text(shown.chain_pem + shown.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(2)
            with context.wrap_socket(self.request, server_side=True):
                pass

    server = socketserver.ThreadingTCPServer((EDGE, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Edge:
    """Our own authority, and a round that looks at what a server shows to visitors."""

    laboratory: Laboratory
    issuer: LocalIssuer
    folder: Path

    def issue(self, now: datetime = NOW) -> Issuance:
        return self.issuer.request((HOST,), now, {})

    def look(self, *, stored: Issuance, shown: Issuance) -> CheckResult:
        self.laboratory.probe = partial(probe, roots_pem=self.issuer.roots_pem())
        known = host(chain_pem=stored.chain_pem, serial=stored.serial)
        with visitors_get(shown, self.folder) as self.laboratory.https_port:
            return row(self.laboratory.check(hosts=(known,)), HTTPS)


@pytest.fixture
def edge(laboratory: Laboratory, tmp_path: Path) -> Edge:
    return Edge(laboratory, LocalIssuer(tmp_path / "authority"), tmp_path)


@pytest.mark.engine_independent
def test_not_yet_served_while_the_edge_shows_the_one_before(edge: Edge) -> None:
    before, renewed = edge.issue(NOW - timedelta(days=60)), edge.issue()
    found = edge.look(stored=renewed, shown=before)
    assert found.reason == Reasons.NOT_YET_SERVED
    assert (found.verdict, found.who_acts) == (Verdicts.WAIT, Acts.NOBODY)
    assert "older certificate" in found.sentence
    assert edge.look(stored=renewed, shown=renewed).verdict == Verdicts.PASS


@pytest.mark.engine_independent
def test_not_yet_served_while_nothing_listens(edge: Edge) -> None:
    issued = edge.issue()
    with visitors_get(issued, edge.folder) as port:
        edge.laboratory.https_port = port
    edge.laboratory.probe = partial(probe, roots_pem=edge.issuer.roots_pem())
    known = host(chain_pem=issued.chain_pem, serial=issued.serial)
    found = row(edge.laboratory.check(hosts=(known,)), HTTPS)
    assert found.reason == Reasons.NOT_YET_SERVED
    assert f"Nothing listens on port {port}" in found.sentence


@pytest.mark.engine_independent
def test_clock_skew_where_the_certificate_begins_tomorrow(edge: Edge) -> None:
    from_tomorrow = edge.issue(NOW + timedelta(days=1))
    found = edge.look(stored=from_tomorrow, shown=from_tomorrow)
    assert found.reason == Reasons.CLOCK_SKEW
    assert (found.verdict, found.who_acts) == (Verdicts.WRONG, Acts.PLATFORM)
    assert found.detail == "The certificate is not valid before 28 November 2026, 13:00 UTC."


@dataclass
class Ordering:
    """A client that is open at its default host, and a domain that it then comes to."""

    portal: EdgePortal
    domain_id: int = 0

    def deploy(self, client: LLMClient, user: User) -> None:
        runs.begin(client, Deployment.Kinds.DEPLOY, utc_now(), user)
        db.session.commit()
        self.portal.work(lambda: db.session.scalars(select(LLMClient)).one().is_open)

    def come_to_a_domain(self, editor: str = "local") -> None:
        """The records are entered; the rounds and the order go on until something is said."""
        client = db.session.scalars(select(LLMClient)).one()
        domain = claims.add(client.account, DOMAIN, utc_now(), None)
        domain.zone_editor = editor
        custom.put_on_domain(client, domain, utc_now(), None)
        db.session.commit()
        if editor == "manual":
            self.enter_by_hand(ownership_value(domain.verification_token))
        self.domain_id = domain.id
        db.session.rollback()
        self.portal.work(lambda: bool((order := self.order()) and order.reason))

    def enter_by_hand(self, proof: str) -> None:
        zone = zone_editor_for(self.portal.settings, "local", DOMAIN, {})
        zone.publish(Record(f"_llm-verify.{DOMAIN}", "TXT", (proof,), 60))
        zone.publish(Record(f"guide.{DOMAIN}", "CNAME", (self.portal.settings.edge_host,), 60))

    def order(self) -> CertificateOrder | None:
        query = select(CertificateOrder).where(CertificateOrder.name == f"guide.{DOMAIN}")
        return db.session.scalar(query)

    def look(self, check: Checks) -> CheckResult:
        """What a round that somebody wishes for now says of the client's host."""
        domain = db.session.get_one(LLMClientCustomDomain, self.domain_id, populate_existing=True)
        look_now(domain, utc_now())
        db.session.commit()
        jobs.verify_custom_domain(self.domain_id)
        db.session.refresh(domain)
        found = stored_row(domain, check)
        db.session.rollback()
        return found


@pytest.fixture
def begin_ordering(
    make_edge_portal: MakeEdgePortal,
    people: People,
    make_client: MakeClient,
    stored: Callable[[str], LLMClient],
) -> Callable[..., Ordering]:
    """`begin_ordering(challenge="dns-01")`: options as of AcmeSettings."""

    def begin(**options: str) -> Ordering:
        found = Ordering(make_edge_portal(**options))
        found.deploy(stored(make_client("guide")), db.session.get_one(User, people.alice.user_id))
        return found

    return begin


@pytest.fixture
def ordering(begin_ordering: Callable[..., Ordering]) -> Ordering:
    return begin_ordering()


@pytest.mark.long
def test_ca_refused_in_the_words_of_the_authority(ordering: Ordering) -> None:
    error = {"type": f"{PROBLEM}unauthorized", "detail": "Invalid response: 404"}
    ordering.portal.door.rewrites["/my-order/"] = {"status": "invalid", "error": error}
    ordering.come_to_a_domain()
    found = ordering.look(HTTPS)
    assert found.reason == Reasons.CA_REFUSED
    assert (found.verdict, found.who_acts) == (Verdicts.WRONG, Acts.PLATFORM)
    assert found.detail == f"{PROBLEM}unauthorized: Invalid response: 404"
    assert found.clears_at is not None
    assert found.clears_at > found.checked_at


@pytest.mark.long
def test_ca_refused_where_it_issues_nothing_for_the_name(ordering: Ordering) -> None:
    words = "Policy forbids issuing for this name"
    ordering.portal.door.faults["/order-plz"] = [problem(400, "rejectedIdentifier", words)]
    ordering.come_to_a_domain()
    found = ordering.look(HTTPS)
    assert found.reason == Reasons.CA_REFUSED
    assert found.detail == f"{PROBLEM}rejectedIdentifier: {words}"
    assert found.clears_at is not None
    ordering.portal.work_off()  # a new run begins, and waits until the pause is over
    assert ordering.portal.door.count("/order-plz") == 2  # of the default host, and this one


@pytest.mark.long
def test_ca_rate_limit_until_the_authority_listens_again(ordering: Ordering) -> None:
    words = "too many certificates (50) already issued for this domain"
    ordering.portal.door.faults["/order-plz"] = [
        problem(429, "rateLimited", words, **{"Retry-After": "5400"})
    ]
    ordering.come_to_a_domain()
    found = ordering.look(ISSUABLE)
    assert found.reason == Reasons.CA_RATE_LIMIT
    assert (found.verdict, found.who_acts) == (Verdicts.WAIT, Acts.NOBODY)
    assert found.detail == f"{PROBLEM}rateLimited: {words}"
    assert found.clears_at is not None
    wait = found.clears_at - utc_now()
    assert timedelta(minutes=85) < wait <= timedelta(minutes=90)
    assert ordering.portal.door.count("/order-plz") == 2  # of the default host, and this one


@pytest.mark.long
def test_an_authority_that_waits_for_a_record_has_refused_nothing(
    begin_ordering: Callable[..., Ordering],
) -> None:
    ordering = begin_ordering(challenge="dns-01")
    ordering.come_to_a_domain("manual")
    order = ordering.order()
    assert order is not None
    assert order.reason == "awaiting_owner"
    found = ordering.look(HTTPS)
    assert found.reason == Reasons.MISSING_AT_AUTHORITY
    assert found.who_acts == Acts.CUSTOMER
    assert f"no TXT record at _acme-challenge.guide.{DOMAIN}" in found.sentence
    assert f"name _acme-challenge.guide and the value {found.expected}." in found.fix
    assert order.detail == f"_acme-challenge.guide.{DOMAIN} TXT {found.expected}"
