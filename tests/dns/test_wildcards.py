"""A wildcard's answer is told from a record of the name's own."""

from collections.abc import Callable

import pytest

from portal.dns import Answer
from portal.dns.discovery import DiscoveringResolver
from portal.dns.local_server import LocalNameServer
from portal.dns.wildcards import only_a_wildcard, random_neighbour
from tests.dns_peers import FaultyAuthority, zone_text

pytestmark = pytest.mark.engine_independent

ZONE = zone_text(
    "shop.test",
    "*.wild A 192.0.2.7\nown.wild A 192.0.2.9\nsame.wild A 192.0.2.7\nwww A 192.0.2.9\n"
    "*.alias CNAME edge.shop.test.\nedge A 192.0.2.80\n",
)


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("any.wild", True),
        ("any.alias", True),
        ("own.wild", False),
        ("same.wild", True),
        ("www", False),
        ("nobody", False),
    ],
)
def test_a_random_neighbour_tells(
    faulty_authority: Callable[..., FaultyAuthority], name: str, verdict: bool
) -> None:
    server = faulty_authority({"shop.test": ZONE})
    resolver = DiscoveringResolver([], known={"shop.test": [server.address]})
    (found,) = resolver.authority(f"{name}.shop.test", "A")

    assert only_a_wildcard(resolver.authority, f"{name}.shop.test", "A", found) is verdict


def test_where_the_neighbour_cannot_be_asked_nobody_knows(server: LocalNameServer) -> None:
    def silent(name: str, type: str) -> tuple[Answer, ...]:
        return (Answer("could_not_ask", trouble="timeout"),)

    found = Answer("found", ("192.0.2.7",))
    assert only_a_wildcard(silent, "www.shop.test", "A", found) is None


def test_neighbours_are_beside_the_name_and_never_the_same() -> None:
    neighbours = {random_neighbour("chat.shop.test") for _ in range(10)}

    assert len(neighbours) == 10
    assert all(name.endswith(".shop.test") and name.count(".") == 2 for name in neighbours)
