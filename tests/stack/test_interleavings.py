"""Whatever order things happen in, one account holds a name and everything ends somewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from portal.certificates.models import Certificate
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.serving import served
from tests.people import People
from tests.stack.world import World

STEPS = 40
TOGETHER = int(os.environ.get("PORTAL_TEST_INTERLEAVINGS", "10000"))
SHARES = 4
Dns = LLMClient.DnsVerificationStatusChoices
Tls = LLMClient.TlsCertificateIssuanceStatusChoices
States, DomainStates = LLMClientHost.States, LLMClientCustomDomain.States
AT_REST = {
    (True, Dns.VERIFIED, Tls.ISSUED),
    (False, Dns.NOT_VERIFIED, Tls.NO_CERTIFICATE),
}


@pytest.fixture
def quick_disk(database: None) -> Iterator[None]:
    """What a power cut would take is of no interest here."""
    _flushes("OFF")
    yield
    db.session.remove()
    _flushes("FULL")


def _flushes(how: str) -> None:
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            connection.rollback()
            raw.execute(f"PRAGMA synchronous = {how}")


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.usefixtures("quick_disk")
def test_ten_thousand_moves_in_any_order(people: People, share: int) -> None:
    """As many moves together as the issue asks for; each history comes to rest at its end."""
    histories = TOGETHER // SHARES // STEPS
    for seed in range(share * histories, (share + 1) * histories):
        told: list[str] = []
        try:
            go_through(people, seed, told)
        except Exception as error:
            raise AssertionError(f"seed {seed}, after {', '.join(told)}") from error


def go_through(people: People, seed: int, told: list[str]) -> None:
    world = World(people, seed)
    world.told = told
    for _ in range(STEPS):
        world.step()
        assert list(wrong_now()) == []
    told.append("at rest")
    world.come_to_rest()
    assert list(wrong_now()) == []
    assert list(wrong_at_rest()) == []


def wrong_now() -> Iterator[str]:
    """What must hold after each commit."""
    domains = list(db.session.scalars(select(LLMClientCustomDomain)).unique())
    if sum(one.is_verified for one in domains) > 1:
        yield "two holders of one name"
    for entry in db.session.scalars(select(LLMClientHost)).unique():
        client, domain = entry.llm_client, entry.custom_domain
        is_served = entry.is_open and client is not None and client.deployed
        if entry.is_open and client is None:
            yield f"{entry.hostname} is open for nobody"
        if not is_served or entry.custom_domain_id is None:
            continue
        if domain is None or not domain.is_verified or domain.account_id != client.account_id:
            yield f"{entry.hostname} is served without a proof"


def wrong_at_rest() -> Iterator[str]:
    """What must hold when nothing is due any more."""
    for run in db.session.scalars(select(Deployment).where(Deployment.state == "active")):
        yield f"a {run.scope} {run.kind} stands at {run.step} for ever: {run.message}"
    for client in db.session.scalars(select(LLMClient)).unique():
        states = client.dns_verification_status, client.tls_certificate_issuance_status
        if (client.deployed, *states) not in AT_REST:
            yield f"{client.name} is deployed {client.deployed}, {states[0]}, {states[1]}"
    for entry in db.session.scalars(select(LLMClientHost)).unique():
        yield from _wrong_host(entry)
    for domain in db.session.scalars(select(LLMClientCustomDomain)).unique():
        if domain.state == DomainStates.REMOVING:
            yield f"the domain of {domain.account_id} is being removed for ever"


def _wrong_host(entry: LLMClientHost) -> Iterator[str]:
    host, client = entry.hostname, entry.llm_client
    is_wanted = client is not None and client.deployed and entry.state == States.CURRENT
    if entry.state == States.LEAVING:
        yield f"{host} is leaving for ever"
    if entry.is_open != is_wanted:
        yield f"{host} ({entry.state}) is open {entry.is_open}, deployed {is_wanted}"
    found = served.by_host(host)
    if (found is not None and found.is_open) != is_wanted:
        yield f"visitors of {host} are told otherwise"
    certificates = select(Certificate).where(Certificate.hostname == host, Certificate.is_served)
    shown = [one for one in db.session.scalars(certificates) if one.revoked_at is None]
    if bool(shown) != is_wanted:
        yield f"the edge shows {len(shown)} certificates for {host}, wanted {is_wanted}"
