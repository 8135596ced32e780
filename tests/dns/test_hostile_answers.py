"""Whatever a stranger's server says, the resolver answers and never raises."""

import random

import dns.exception
import dns.message
import dns.rrset
import pytest

from portal.dns import Answer
from portal.dns.ask import read_response
from portal.dns.referral import apex, read_referral
from portal.dns.suffixes import registrable
from tests.dns_laboratory import TWO_SERVERS, Laboratory
from tests.dns_peers import zone_text
from tests.sampling import some_short

pytestmark = pytest.mark.engine_independent

STRANGE = {
    "root": "root CNAME .",
    "top-level": "top CNAME test.",
    "dots in a label": r"dots CNAME a\.b\..customer.test.",
    "octets": r"octets CNAME \000\255\032x.customer.test.",
    "octets elsewhere": r"far CNAME \255\(\".weird\.name.test.",
    "longest": f"long CNAME {'.'.join(['x' * 60] * 3)}.customer.test.",
    "punycode that is none": "puny CNAME xn--a-ecp.xn--zz--.test.",
    "wildcard": "star CNAME *.customer.test.",
    "itself": "self CNAME self",
}


@pytest.mark.parametrize("line", STRANGE.values(), ids=STRANGE)
def test_an_alias_of_any_shape_is_followed_or_told(laboratory: Laboratory, line: str) -> None:
    laboratory.serve_customer(line + "\n")
    name = f"{line.split()[0]}.customer.test"

    for kind in ("A", "TXT", "CAA", "CNAME"):
        for answer in laboratory.resolver().authority(name, kind):
            assert answer.status != "found" or kind == "CNAME"
            assert len(answer.alias) <= 10


@pytest.mark.parametrize(
    "servers",
    [
        TWO_SERVERS + "\n@ NS .",
        TWO_SERVERS + "\n" + "\n".join(f"ns{n} A 127.0.1.{n}" for n in range(3, 60)),
        r"\255\.x A 127.0.0.11",
    ],
    ids=["the root", "very many", "octets"],
)
def test_name_servers_of_any_name_and_number_are_bounded(
    laboratory: Laboratory, servers: str
) -> None:
    names = [line for line in servers.splitlines() if not line.startswith("@")]
    extra = "".join(f"{line}\n" for line in servers.splitlines() if line.startswith("@"))
    text = zone_text("customer.test", f"{extra}www A 192.0.2.1\n", servers="\n".join(names))
    for one in (laboratory.first, laboratory.second, laboratory.public):
        one.serve("customer.test", text)

    found = laboratory.resolver().delegation("www.customer.test")

    assert found.zone == "customer.test"
    assert len(found.servers) <= 16


@pytest.mark.parametrize(
    "name", [".", "a", "a.b", r"a\.b.test", r"\255.test", "xn--zz--.test", "x" * 63 + ".test", ""]
)
def test_the_registered_domain_of_anything_is_a_name(name: str) -> None:
    assert name.endswith(registrable(name))


@pytest.mark.parametrize("seed", some_short(range(5), one_in=5))
def test_broken_octets_raise_nothing_else_than_that_they_are_broken(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 the same answers in every run
    for _ in range(300):
        wire = bytearray(some_answer(chance).to_wire())
        for _ in range(chance.randrange(1, 4)):
            wire[chance.randrange(2, len(wire))] = chance.randrange(256)
        try:
            message = dns.message.from_wire(bytes(wire))
        except (dns.exception.DNSException, ValueError):
            continue
        assert isinstance(read_response(message, ("192.0.2.1", 53), False, "shop.test"), Answer)
        assert isinstance(read_response(message, ("192.0.2.1", 53), True), Answer)
        read_referral(message, "shop.test")
        apex(message)


def some_answer(chance: random.Random) -> dns.message.Message:
    kind = chance.choice(["A", "TXT", "CAA", "NS", "SOA", "CNAME"])
    response = dns.message.make_response(dns.message.make_query("www.shop.test", kind, use_edns=0))
    lines = [
        ("www.shop.test.", "CNAME", "edge.portal.test."),
        ("www.shop.test.", "A", "192.0.2.1"),
        ("edge.portal.test.", "TXT", '"some text" "more"'),
        ("shop.test.", "CAA", '0 issue "ca.test"'),
        ("shop.test.", "NS", "ns1.shop.test."),
        ("shop.test.", "SOA", "ns1.shop.test. host.shop.test. 1 2 3 4 5"),
    ]
    for owner, type, value in chance.sample(lines, 3):
        rrset = dns.rrset.from_text(owner, 60, "IN", type, value)
        chance.choice([response.answer, response.authority, response.additional]).append(rrset)
    return response
