"""One answer for each of very many names."""

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.dns import Record
from portal.dns.discovery import DiscoveringResolver
from portal.dns.embedded_first import EmbeddedFirstResolver
from portal.dns.large_numbers import shared_out
from portal.dns.local import LocalZoneEditor
from portal.dns.local_server import LocalNameServer
from tests.dns_laboratory import Laboratory
from tests.dns_peers import FaultyAuthority, zone_text

pytestmark = pytest.mark.engine_independent

ZONE = zone_text("shop.test", "*.wild A 192.0.2.7\nchat CNAME edge\nedge A 192.0.2.80\n")
MANY = [(f"n{number}.wild.shop.test", "A") for number in range(300)]


@pytest.fixture
def two(faulty_authority: Callable[..., FaultyAuthority]) -> list[FaultyAuthority]:
    return [faulty_authority({"shop.test": ZONE}, f"127.0.0.{n}", recursive=True) for n in (21, 22)]


def test_resolvers_share_the_names_and_each_is_asked_of_one(two: list[FaultyAuthority]) -> None:
    lookups = [*MANY, ("chat.shop.test", "A"), ("nobody.shop.test", "A")]

    answers = shared_out([one.address for one in two], lookups)

    assert [answer.values for answer in answers[:300]] == [("192.0.2.7",)] * 300
    assert answers[300].alias == ("edge.shop.test",)
    assert answers[301].status == "no_name"
    assert [len(one.asked) for one in two] == [151, 151]


@pytest.mark.parametrize("fault", ["servfail", "refused", "drop"])
def test_what_one_resolver_cannot_say_the_next_is_asked(
    two: list[FaultyAuthority], fault: str
) -> None:
    two[0].faults["*", "*"] = fault

    answers = shared_out([one.address for one in two], MANY[:60], timeout=0.8)

    assert {answer.values for answer in answers} == {("192.0.2.7",)}


def test_the_same_name_twice_has_the_same_answer_twice(two: list[FaultyAuthority]) -> None:
    answers = shared_out([two[0].address], [MANY[0], MANY[0]])
    assert answers == [answers[0]] * 2
    assert answers[0].status == "found"


def test_without_a_resolver_nobody_could_be_asked() -> None:
    assert [one.status for one in shared_out([], MANY[:2])] == ["could_not_ask"] * 2
    assert shared_out([], []) == []


def test_names_of_known_zones_are_asked_of_their_servers(laboratory: Laboratory) -> None:
    known = {"portal.test": [laboratory.platform.address]}
    lookups = [("edge.api.portal.test", "A"), ("www.customer.test", "A")]

    answers = laboratory.resolver(known=known).ask_each(lookups)

    assert [one.values for one in answers] == [("192.0.2.80",), ("192.0.2.1", "192.0.2.2")]
    assert {name for name, _, _ in laboratory.public.asked} == {"www.customer.test"}


def test_the_embedded_server_comes_first_and_the_world_for_the_rest(
    tmp_path: Path, laboratory: Laboratory
) -> None:
    secret = "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBvY3RldHMuLi4="
    server = LocalNameServer([], "127.0.0.1", 0, tmp_path / "zones", "portal-key", secret)
    server.start()
    try:
        editor = LocalZoneEditor("mine.test", "127.0.0.1", server.port, "portal-key", secret)
        editor.publish(Record("chat.mine.test", "A", ("192.0.2.99",), 60))
        resolver = EmbeddedFirstResolver(("127.0.0.1", server.port), laboratory.resolver())
        lookups = [("www.customer.test", "A"), ("chat.mine.test", "A"), ("no.mine.test", "A")]

        answers = resolver.ask_each(lookups)
    finally:
        server.stop()

    assert [one.status for one in answers] == ["found", "found", "no_name"]
    assert answers[1].values == ("192.0.2.99",)


def test_an_alias_lies_in_the_zone_that_holds_it_not_in_that_of_its_end(
    tmp_path: Path, laboratory: Laboratory
) -> None:
    secret = "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBvY3RldHMuLi4="
    server = LocalNameServer(["ours.test"], "127.0.0.1", 0, tmp_path / "zones", "key", secret)
    server.start()
    try:
        editor = LocalZoneEditor("mine.test", "127.0.0.1", server.port, "key", secret)
        for name, target in (("chat", "edge.ours.test"), ("shop", "www.elsewhere.test")):
            editor.publish(Record(f"{name}.mine.test", "CNAME", (target,), 60))
        resolver = EmbeddedFirstResolver(("127.0.0.1", server.port), laboratory.resolver())
        found = [resolver.delegation(f"{name}.mine.test") for name in ("chat", "shop", "none")]
    finally:
        server.stop()

    assert [one.zone for one in found] == ["mine.test"] * 3


def test_a_name_that_is_none_spoils_nothing() -> None:
    resolver = DiscoveringResolver([("127.0.0.1", 9)])
    assert [one.status for one in resolver.ask_each([("a..b", "A")])] == ["could_not_ask"]
