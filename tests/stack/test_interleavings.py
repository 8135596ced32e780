"""Whatever order things happen in, one account holds a name and everything ends somewhere.

A history is four to eight random moves, each fortieth one forty, brought to rest and checked. As
each is real work of real jobs on real rows (some 0.2 s of a core), a
run makes 400 of them on SQLite and 120 on PostgreSQL; PORTAL_TEST_INTERLEAVINGS=10000 makes that
many. A seed always is the same history, and PORTAL_TEST_SEED=17 repeats one alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import Row, select

from portal.certificates.models import Certificate
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.serving import served
from tests.people import People
from tests.stack.beginning import Beginnings
from tests.stack.world import World

HISTORIES = {"sqlite": 400, "postgresql": 120}
SHORT, LONG = (4, 8), 40  # moves
LONG_EACH = 40  # histories
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
def test_moves_in_any_order(people: People, share: int) -> None:
    """Each history comes to rest at its end, with every state legal and one holder for the name."""
    beginnings = Beginnings()
    for seed in seeds(share):
        told: list[str] = []
        try:
            go_through(World(people, seed, beginnings), told)
        except Exception as error:
            raise AssertionError(f"seed {seed}, after {', '.join(told)}") from error


def seeds(share: int) -> range:
    """Those of one share; the one that is to be repeated belongs to the first."""
    alone = os.environ.get("PORTAL_TEST_SEED")
    if alone is not None:
        return range(int(alone), int(alone) + (share == 0))
    wanted = os.environ.get("PORTAL_TEST_INTERLEAVINGS") or HISTORIES[db.engine.dialect.name]
    each = int(wanted) // SHARES
    return range(share * each, (share + 1) * each)


def go_through(world: World, told: list[str]) -> None:
    world.told = told
    for _ in range(LONG if world.seed % LONG_EACH == 0 else world.chance.randint(*SHORT)):
        world.step()
        assert list(wrong_now()) == []
    told.append("at rest")
    world.come_to_rest()
    assert list(wrong_now()) == []
    assert list(wrong_at_rest()) == []


def wrong_now() -> Iterator[str]:
    """What must hold after each commit."""
    for host, is_open, is_custom, client, is_deployed, account, is_verified, owner in hosts():
        if is_open and client is None:
            yield f"{host} is open for nobody"
        if is_open and is_deployed and is_custom and not (is_verified and owner == account):
            yield f"{host} is served without a proof"
    held = select(LLMClientCustomDomain.id).where(LLMClientCustomDomain.is_verified)
    if len(db.session.scalars(held).all()) > 1:
        yield "two holders of one name"


def hosts() -> Sequence[Row[Any]]:
    """Each host with whose it is, and who holds its domain; as columns, which is quicker."""
    query = (
        select(
            LLMClientHost.hostname,
            LLMClientHost.is_open,
            LLMClientHost.custom_domain_id.is_not(None),
            LLMClient.id,
            LLMClient.deployed,
            LLMClient.account_id,
            LLMClientCustomDomain.is_verified,
            LLMClientCustomDomain.account_id,
        )
        .outerjoin(LLMClient, LLMClient.id == LLMClientHost.llm_client_id)
        .outerjoin(
            LLMClientCustomDomain, LLMClientCustomDomain.id == LLMClientHost.custom_domain_id
        )
    )
    return db.session.execute(query).all()


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
