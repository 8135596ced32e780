"""The resolver against real name servers: BIND and knot as authorities, unbound as visitors see."""

import time
from collections.abc import Callable
from pathlib import Path

import dns.dnssec
import dns.rdatatype
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from portal.dns import Record
from portal.dns.discovery import DiscoveringResolver
from portal.dns.rfc2136 import Rfc2136ZoneEditor
from tests.dns_peers import FaultyAuthority, Peer, StartPeer, zone_text

pytestmark = pytest.mark.engine_independent

SHOP = zone_text(
    "shop.test",
    "www A 192.0.2.1\nchat CNAME edge.portal.test.\ndangling CNAME gone.portal.test.\n"
    "loop1 CNAME loop2\nloop2 CNAME loop1\n*.wild A 192.0.2.7\n"
    + "".join(f'many TXT "{n:03d}{"x" * 180}"\n' for n in range(30)),
)
PORTAL = zone_text("portal.test", "edge A 192.0.2.80\n")
ZONES = {"shop.test": SHOP, "portal.test": PORTAL}


@pytest.fixture(params=["bind", "knot"])
def authority(request: pytest.FixtureRequest) -> Peer:
    start: StartPeer = request.getfixturevalue(f"start_{request.param}")
    return start(ZONES)


@pytest.fixture
def resolver(authority: Peer, start_unbound: StartPeer) -> DiscoveringResolver:
    """unbound on the way to the authority, whose port stands in for 53."""
    public = start_unbound(dict.fromkeys(ZONES, authority.address))
    return DiscoveringResolver(
        [public.address], authority_port=authority.port, timeout=2, allow_private_addresses=True
    )


def test_finds_zones_and_answers(resolver: DiscoveringResolver, authority: Peer) -> None:
    found = resolver.delegation("www.shop.test")
    (www,) = resolver.authority("www.shop.test", "A")
    (seen,) = resolver.public("www.shop.test", "A")

    assert (found.zone, found.servers) == ("shop.test", (("ns1.shop.test", "127.0.0.1"),))
    assert www.values == seen.values == ("192.0.2.1",)


def test_follows_aliases_over_zones(resolver: DiscoveringResolver) -> None:
    (chat,) = resolver.authority("chat.shop.test", "A")
    (seen,) = resolver.public("chat.shop.test", "A")

    assert (chat.values, chat.alias) == (("192.0.2.80",), ("edge.portal.test",))
    assert (seen.values, seen.alias) == (chat.values, chat.alias)


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("nobody", "no_name", "nobody.shop.test does not exist"),
        ("dangling", "no_name", "gone.portal.test does not exist"),
        ("loop1", "no_record", "circle"),
        ("wild", "no_record", ""),
    ],
)
def test_tells_one_no_from_another(
    resolver: DiscoveringResolver, name: str, status: str, words: str
) -> None:
    (answer,) = resolver.authority(f"{name}.shop.test", "A")

    assert answer.status == status
    assert words in answer.detail


def test_reads_what_is_too_large_for_a_datagram(resolver: DiscoveringResolver) -> None:
    (many,) = resolver.authority("many.shop.test", "TXT")
    assert len(many.values) == 30


def test_a_fresh_record_is_right_at_the_authority_and_still_a_no_for_visitors(
    resolver: DiscoveringResolver, authority: Peer
) -> None:
    editor = Rfc2136ZoneEditor.from_settings(
        authority.zone_editor_settings("shop.test"), allow_private_addresses=True
    )
    (before,) = resolver.public("fresh.shop.test", "A")
    editor.publish(Record("fresh.shop.test", "A", ("192.0.2.5",), 60))

    (truth,) = resolver.authority("fresh.shop.test", "A")
    (seen,) = resolver.public("fresh.shop.test", "A")

    assert (before.status, truth.status, seen.status) == ("no_name", "found", "no_name")
    assert seen.ttl is not None
    assert 0 <= seen.ttl <= 5


def test_broken_signatures_are_told_from_a_failure(
    start_bind: StartPeer, start_unbound: StartPeer, tmp_path: Path
) -> None:
    text, anchor = signed("shop.test", "good A 192.0.2.1\nbad A 192.0.2.2\n")
    server = start_bind({"shop.test": text.replace("192.0.2.2", "192.0.2.66")})
    public = start_unbound({"shop.test": server.address}, anchors=[anchor])
    resolver = DiscoveringResolver([public.address], authority_port=server.port)

    (good,) = resolver.public("good.shop.test", "A")
    (bad,) = resolver.public("bad.shop.test", "A")

    assert good.values == ("192.0.2.1",)
    assert (bad.status, bad.trouble) == ("could_not_ask", "bogus")
    assert "192.0.2.66" in bad.detail


def test_a_zone_without_a_server_that_answers_is_a_failure_and_not_bogus(
    start_unbound: StartPeer, faulty_authority: Callable[..., FaultyAuthority]
) -> None:
    server = faulty_authority({"shop.test": SHOP})
    server.faults["www.shop.test", "*"] = "servfail"
    public = start_unbound({"shop.test": server.address})
    resolver = DiscoveringResolver(
        [public.address], authority_port=server.port, allow_private_addresses=True
    )
    begin = time.monotonic()

    assert resolver.public("www.shop.test", "A")[0].trouble in ("servfail", "timeout")
    assert resolver.authority("www.shop.test", "A")[0].trouble == "servfail"
    assert time.monotonic() - begin < 9


def signed(origin: str, records: str) -> tuple[str, str]:
    """A zone with signatures, and the line that a validating resolver trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    dnskey = dns.dnssec.make_dnskey(
        key.public_key(), dns.dnssec.Algorithm.ECDSAP256SHA256, flags=257
    )
    zone = dns.zone.from_text(zone_text(origin, records), f"{origin}.", relativize=False)
    with zone.writer() as transaction:
        dns.dnssec.sign_zone(
            zone=zone,
            txn=transaction,
            keys=[(key, dnskey)],
            lifetime=86400,
            add_dnskey=True,
            dnskey_ttl=30,
        )
    return zone.to_text(relativize=False), f"{origin}. 30 IN DNSKEY {dnskey.to_text()}"
