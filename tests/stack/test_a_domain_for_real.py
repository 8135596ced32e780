"""From the form to a verified handshake and back, with nothing but real programs around us."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.custom_domains.claims import CHECK_EVERY
from portal.custom_domains.holding import FAILURES, WARNING
from portal.custom_domains.looks import look_now
from portal.custom_domains.models import CustomDomainTombstone, LLMClientCustomDomain
from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient
from tests.crowd import Stopwatch
from tests.dns_peers import Peer
from tests.edge_portal import EdgePortal
from tests.people import People
from tests.stack.stage import CUSTOMER, Admin, Owner, holders, is_gone

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
Tls = LLMClient.TlsCertificateIssuanceStatusChoices
HOST = f"patient-desk.{CUSTOMER}"


def is_off() -> bool:
    """Whether the one client has lost its certificate, and so its run has come to its end."""
    client = db.session.scalars(select(LLMClient)).one()
    return client.tls_certificate_issuance_status == Tls.NO_CERTIFICATE


@pytest.mark.parametrize("published", ["by hand", "by the portal"])
def test_a_client_comes_to_a_domain_and_goes(
    portal: EdgePortal, alice: Admin, zone_owner: Owner, authority: Peer, published: str
) -> None:
    by_hand = published == "by hand"
    client = alice.creates_client("Patient_Desk")
    default = alice.default_host(client)
    assert alice.refused(default, HOST)

    serial = alice.answered(default, alice.deploys(client))
    assert portal.pebble.status_of(serial) == "Valid"

    domain = alice.adds_domain()
    alice.attaches(client, domain)
    if by_hand:
        zone_owner.enter(*alice.records(domain))
    else:
        alice.uses_editor(domain, authority)
    checked = Stopwatch()
    alice.checks_now(domain)
    own_serial = alice.answered(HOST, checked)
    assert own_serial not in ("", serial)
    assert "Verified" in alice.browser.get(domain).words

    renewed = portal.renewed_under_load(HOST)
    assert renewed not in ("", own_serial)

    alice.renames(client, "Front_Desk")
    new_default, new_host = (one.replace("patient", "front") for one in (default, HOST))
    asked = Stopwatch()
    assert portal.shown(HOST) == renewed, "the old one answers until the new one is open"
    alice.answered(new_default, asked)
    if by_hand:
        portal.work_off()
        zone_owner.enter(alice.record(domain, "CNAME"))
        time.sleep(max(2.0, checked.began + CHECK_EVERY.total_seconds() + 0.5 - time.monotonic()))
        asked = Stopwatch()
        alice.checks_now(domain)
    alice.answered(new_host, asked)
    with portal.planes.worker.app_context():
        portal.work(lambda: is_gone(default)() and is_gone(HOST)())
    assert alice.refused(default, HOST)
    assert portal.pebble.status_of(renewed) == portal.pebble.status_of(serial) == "Revoked"

    last = [portal.shown(new_default), portal.shown(new_host)]
    alice.browser.post(f"{client}undeploy")
    assert alice.refused(new_default, new_host), "at the next handshake, before any job ran"
    portal.work(is_off)
    portal.work_off()
    assert [portal.pebble.status_of(one) for one in last] == ["Revoked", "Revoked"]

    pressed = alice.deploys(client)
    again = {alice.answered(new_default, pressed), alice.answered(new_host, pressed)}
    assert not again & {"", *last}

    alice.browser.post(f"{domain}remove", {"confirm_name": CUSTOMER})
    assert alice.refused(new_host)
    assert portal.get(new_default)[0] == 200
    portal.work(is_gone(new_host))
    portal.work_off()
    alice.browser.get(domain, expected=404)
    with portal.planes.worker.app_context():
        [tombstone] = db.session.scalars(select(CustomDomainTombstone)).all()
    assert tombstone.domain_name == CUSTOMER


def test_a_domain_changes_hands(
    portal: EdgePortal, alice: Admin, charlie: Admin, zone_owner: Owner, people: People
) -> None:
    client, theirs = alice.creates_client("Patient_Desk"), charlie.creates_client("Patient_Desk")
    domain = alice.adds_domain()
    alice.attaches(client, domain)
    zone_owner.enter(*alice.records(domain))
    alice.checks_now(domain)
    serial = alice.answered(HOST, alice.deploys(client))

    refused = charlie.browser.post("/custom-domains/new", {"domain_name": CUSTOMER}, expected=422)
    assert "in use by another account" in refused.words
    claimed = charlie.adds_domain(owns_it_now="y")
    charlie.attaches(theirs, claimed)
    charlie.deploys(theirs)
    zone_owner.enter(charlie.record(claimed, "TXT"))
    charlie.checks_now(claimed)
    portal.work_off()
    assert held_by(portal) == [people.alice.account_id], "the proof of the holder stands"
    assert portal.shown(HOST) == serial

    zone_owner.remove(alice.record(domain, "TXT"))
    time.sleep(1.2)  # resolvers remember it for a second
    days_pass_without_a_proof(portal, people.alice.account_id)
    assert held_by(portal) == [people.alice.account_id], "he is looked at once more"
    portal.work_off()
    asked = Stopwatch()
    days_pass_without_a_proof(portal, people.charlie.account_id)
    portal.work(lambda: holders() == [people.charlie.account_id])
    new = charlie.answered(HOST, asked)
    assert new not in ("", serial)
    assert portal.pebble.status_of(serial) == "Revoked"
    assert "not served here any more" in alice.browser.get(domain).words


def held_by(portal: EdgePortal) -> list[int]:
    with portal.planes.worker.app_context():
        return holders()


def days_pass_without_a_proof(portal: EdgePortal, account_id: int) -> None:
    """The holder has been looked at on six days in vain; the account's claim is due now."""
    with portal.planes.worker.app_context():
        for one in db.session.scalars(select(LLMClientCustomDomain)).unique():
            if one.is_verified:
                one.failing_since = utc_now() - WARNING - timedelta(minutes=1)
                one.failure_count = FAILURES - 1
            if one.account_id == account_id:
                look_now(one, utc_now())
        db.session.commit()
