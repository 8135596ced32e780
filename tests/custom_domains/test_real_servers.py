"""A customer's afternoon with real name servers: each mistake, named, until all is right."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from portal.custom_domains.diagnosis import Diagnosis, diagnose
from portal.custom_domains.hosts import DomainHost
from portal.custom_domains.observations import Question
from portal.custom_domains.observing import Outside, observe
from portal.custom_domains.ownership import Proof
from portal.custom_domains.records import Target
from portal.custom_domains.results import Checks, Reasons, Verdicts
from portal.database import utc_now
from portal.dns import Record
from portal.dns.discovery import DiscoveringResolver
from portal.dns.rfc2136 import Rfc2136ZoneEditor
from tests.custom_domains.laboratory import good_probe, host, row
from tests.dns.test_real_peers import signed
from tests.dns_peers import Peer, StartPeer, zone_text

pytestmark = pytest.mark.engine_independent

OWNERSHIP, ROUTING, ISSUABLE = Checks.OWNERSHIP, Checks.ROUTING, Checks.ISSUABLE
TOKEN = "7f2c91d0a4be4c53"
VALUE = f"llm-verify={TOKEN}"
PROOF = "_llm-verify.shop.test"
BOT = "bot.shop.test"
EDGE = "127.0.0.1"
PORTAL = zone_text("portal.test", f"edge A {EDGE}\n")
ZONES = {"shop.test": zone_text("shop.test", ""), "portal.test": PORTAL}


@dataclass
class Afternoon:
    """The customer edits, we look."""

    peer: Peer
    resolver: DiscoveringResolver
    threads: ThreadPoolExecutor

    def enter(self, name: str, type: str, *values: str) -> None:
        self._editor.publish(Record(name, type, values, 60))

    def remove(self, name: str, type: str) -> None:
        self._editor.withdraw(Record(name, type, ("-",), 60))

    @property
    def _editor(self) -> Rfc2136ZoneEditor:
        return Rfc2136ZoneEditor.from_settings(
            self.peer.zone_editor_settings("shop.test"), allow_private_addresses=True
        )

    def look(self) -> Diagnosis:
        hosts: tuple[DomainHost, ...] = (host(BOT),)
        target = Target("edge.portal.test", (EDGE,), "acme.portal.test")
        question = Question(
            "shop.test", TOKEN, hosts, target, caa_domains=("ca.test",), needs_port_80=False
        )
        outside = Outside(
            resolver=self.resolver,
            probe=good_probe,
            edge=(EDGE, 443),
            http_port=80,
            https_port=443,
            allow_private_addresses=True,
            secret="s",
            threads=self.threads,
        )
        now = utc_now()
        return diagnose(question, observe(question, outside, now), now)


@pytest.fixture(params=["bind", "knot"])
def afternoon(request: pytest.FixtureRequest, start_unbound: StartPeer) -> Iterator[Afternoon]:
    start: StartPeer = request.getfixturevalue(f"start_{request.param}")
    peer = start(ZONES)
    public = start_unbound(dict.fromkeys(ZONES, peer.address))
    resolver = DiscoveringResolver(
        [public.address], authority_port=peer.port, timeout=2, allow_private_addresses=True
    )
    with ThreadPoolExecutor(8) as threads:
        yield Afternoon(peer, resolver, threads)


def reasons(diagnosis: Diagnosis) -> list[Reasons | None]:
    return [row(diagnosis, check).reason for check in (OWNERSHIP, ROUTING, ISSUABLE)]


def test_from_nothing_to_a_certificate_that_may_be_issued(afternoon: Afternoon) -> None:
    waits = Reasons.WAITS_FOR_OTHERS
    missing = Reasons.MISSING_AT_AUTHORITY
    assert reasons(afternoon.look()) == [missing, missing, waits]

    afternoon.enter(f"{PROOF}.shop.test", "TXT", VALUE)
    afternoon.enter(BOT, "A", "192.168.1.4")
    found = afternoon.look()
    assert reasons(found) == [Reasons.DOUBLED_LABEL, Reasons.PRIVATE_ADDRESS, waits]

    afternoon.enter(PROOF, "TXT", f'"{VALUE}"')
    afternoon.remove(BOT, "A")
    afternoon.enter(BOT, "CNAME", "edge.portal.test.shop.test")
    found = afternoon.look()
    assert reasons(found) == [Reasons.MISTYPED_VALUE, Reasons.DOUBLED_LABEL, waits]

    afternoon.enter(PROOF, "TXT", VALUE)
    afternoon.remove(BOT, "CNAME")
    afternoon.enter(BOT, "CNAME", "edge.portal.test")
    afternoon.enter("shop.test", "CAA", '0 issue "other.test"')
    assert reasons(afternoon.look()) == [None, None, Reasons.CAA_FORBIDS]

    afternoon.enter("shop.test", "CAA", '0 issue "ca.test"')
    assert afternoon.look().all_pass


def test_a_resolver_that_remembers_the_no_is_waited_for(afternoon: Afternoon) -> None:
    afternoon.resolver.public(PROOF, "TXT")
    afternoon.enter(PROOF, "TXT", VALUE)
    afternoon.enter(BOT, "CNAME", "edge.portal.test")
    found = row(afternoon.look(), OWNERSHIP)
    assert (found.reason, found.verdict) == (Reasons.STILL_CACHED, Verdicts.WAIT)
    assert found.clears_at is not None
    assert found.checked_at is not None
    assert 0 <= (found.clears_at - found.checked_at).total_seconds() <= 5


def test_our_own_looks_teach_no_resolver_that_it_is_missing(afternoon: Afternoon) -> None:
    afternoon.look()
    afternoon.enter(PROOF, "TXT", VALUE)
    afternoon.enter(BOT, "CNAME", "edge.portal.test")
    assert afternoon.look().all_pass


def test_a_proof_whose_signature_is_wrong_proves_nothing(
    start_bind: StartPeer, start_unbound: StartPeer
) -> None:
    other = TOKEN.replace("7f2c", "7f2d")
    records = f'_llm-verify TXT "llm-verify={other}"\nbot CNAME edge.portal.test.\n'
    text, anchor = signed("shop.test", records)
    peer = start_bind({"shop.test": text.replace(other, TOKEN), "portal.test": PORTAL})
    public = start_unbound(dict.fromkeys(ZONES, peer.address), anchors=[anchor])
    resolver = DiscoveringResolver(
        [public.address], authority_port=peer.port, timeout=2, allow_private_addresses=True
    )
    with ThreadPoolExecutor(8) as threads:
        diagnosis = Afternoon(peer, resolver, threads).look()
    found = row(diagnosis, OWNERSHIP)
    assert (found.reason, found.verdict) == (Reasons.DNSSEC_BOGUS, Verdicts.CANNOT_TELL)
    assert TOKEN in found.detail
    assert diagnosis.proof == Proof.UNKNOWN
