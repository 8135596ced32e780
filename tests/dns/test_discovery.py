"""The resolver finds the servers of anybody's zone and hears each of them."""

import time
from collections.abc import Callable

import pytest

from portal.dns import Answer
from tests.dns_laboratory import CUSTOMER, FIRST, SECOND, TWO_SERVERS, Laboratory
from tests.dns_peers import Fault, FaultyAuthority, zone_text

pytestmark = pytest.mark.engine_independent


@pytest.mark.parametrize(
    "name", ["customer.test", "www.customer.test", "*.wild.customer.test", "a.b.c.customer.test"]
)
def test_finds_the_zone_of_a_name_with_each_of_its_servers(
    laboratory: Laboratory, name: str
) -> None:
    found = laboratory.resolver().delegation(name)

    assert (found.status, found.zone) == ("found", "customer.test")
    assert found.servers == (("ns1.customer.test", FIRST), ("ns2.customer.test", SECOND))


def test_finds_a_zone_inside_a_zone(laboratory: Laboratory) -> None:
    found = laboratory.resolver().delegation("edge.api.portal.test")
    assert (found.status, found.zone) == ("found", "api.portal.test")


def test_a_fresh_zone_is_found_before_public_resolvers_know_it(
    laboratory: Laboratory, faulty_authority: Callable[..., FaultyAuthority]
) -> None:
    child = zone_text("new.customer.test", "chat A 192.0.2.3\n", servers="ns A 127.0.0.16")
    faulty_authority({"new.customer.test": child}, "127.0.0.16", laboratory.port)
    cut = CUSTOMER + "new NS ns.new\nns.new A 127.0.0.16\n"
    for one in (laboratory.first, laboratory.second):
        one.serve("customer.test", zone_text("customer.test", cut, servers=TWO_SERVERS))
    resolver = laboratory.resolver()

    assert resolver.delegation("chat.new.customer.test").zone == "new.customer.test"
    assert resolver.authority("chat.new.customer.test", "A")[0].values == ("192.0.2.3",)


def test_a_domain_that_its_parent_does_not_know_does_not_exist(laboratory: Laboratory) -> None:
    found = laboratory.resolver().delegation("chat.typo.test")

    assert (found.status, found.zone) == ("no_name", "test")
    assert found.detail == "typo.test does not exist"
    assert laboratory.resolver().authority("chat.typo.test", "A")[0].status == "no_name"


def test_a_domain_that_public_resolvers_do_not_know_yet_is_found_at_its_parent(
    laboratory: Laboratory,
) -> None:
    laboratory.public.faults["customer.test", "NS"] = "nxdomain"
    assert laboratory.resolver().delegation("www.customer.test").zone == "customer.test"


def test_servers_that_know_nothing_of_the_zone_are_lame(laboratory: Laboratory) -> None:
    resolver = laboratory.resolver()

    found = resolver.delegation("www.deserted.test")
    answers = resolver.authority("www.deserted.test", "A")

    assert (found.status, found.trouble) == ("no_record", "lame")
    assert [(one.status, one.trouble) for one in answers] == [("could_not_ask", "lame")]


def test_name_servers_without_an_address_are_lame(laboratory: Laboratory) -> None:
    found = laboratory.resolver().delegation("www.noaddress.test")

    assert (found.status, found.trouble) == ("no_record", "lame")
    assert "ns.nobody.test" in found.detail


def test_silent_servers_could_not_be_asked(laboratory: Laboratory) -> None:
    laboratory.everywhere("*", "*", "drop")

    found = laboratory.resolver().delegation("www.customer.test")

    assert (found.status, found.trouble) == ("could_not_ask", "timeout")


def test_without_a_public_resolver_nobody_can_say(laboratory: Laboratory) -> None:
    laboratory.public.faults["*", "*"] = "drop"

    resolver = laboratory.resolver()
    answer = resolver.authority("www.customer.test", "A")[0]

    assert (answer.status, answer.trouble) == ("could_not_ask", "timeout")


def test_every_server_answers_for_itself(laboratory: Laboratory) -> None:
    other = zone_text("customer.test", "www A 192.0.2.66\n", servers=TWO_SERVERS)
    laboratory.second.serve("customer.test", other)

    answers = laboratory.resolver().authority("www.customer.test", "A")

    assert answers == (
        Answer("found", ("192.0.2.1", "192.0.2.2"), 60, f"{FIRST}:{laboratory.port}"),
        Answer("found", ("192.0.2.66",), 60, f"{SECOND}:{laboratory.port}"),
    )


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ("servfail", "servfail"),
        ("refused", "refused"),
        ("drop", "timeout"),
        ("lame", "lame"),
        ("tc_always", "truncated"),
        ("garbage", "timeout"),
        ("bad_id", "timeout"),
        ("wrong_question", "timeout"),
        ("no_question", "servfail"),
        (("delay", 0.8), "timeout"),
    ],
)
def test_a_server_in_trouble_is_told_beside_the_one_that_answers(
    laboratory: Laboratory, fault: Fault, trouble: str
) -> None:
    laboratory.first.faults["www.customer.test", "A"] = fault

    answers = laboratory.resolver().authority("www.customer.test", "A")

    assert [(one.status, one.trouble) for one in answers] == [
        ("could_not_ask", trouble),
        ("found", ""),
    ]
    assert answers[0].detail


def test_a_server_without_edns_is_asked_in_the_old_way(laboratory: Laboratory) -> None:
    laboratory.everywhere("*", "*", "no_edns")
    assert laboratory.resolver().authority("www.customer.test", "A")[0].status == "found"


def test_a_cut_answer_comes_by_tcp(laboratory: Laboratory) -> None:
    laboratory.everywhere("www.customer.test", "A", "tc")
    assert laboratory.resolver().authority("www.customer.test", "A")[0].status == "found"


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("chat", ("edge.api.portal.test",)),
        ("hop1", ("hop2.customer.test", "hop3.customer.test", "edge.api.portal.test")),
    ],
)
def test_an_alias_is_followed_into_the_zone_of_somebody_else(
    laboratory: Laboratory, name: str, alias: tuple[str, ...]
) -> None:
    for answer in laboratory.resolver().authority(f"{name}.customer.test", "A"):
        assert (answer.status, answer.values, answer.alias) == ("found", ("192.0.2.80",), alias)


def test_what_a_server_says_about_foreign_zones_is_not_believed(laboratory: Laboratory) -> None:
    forged = zone_text("api.portal.test", "edge A 192.0.2.66\n", servers=f"ns1 A {FIRST}")
    laboratory.first.serve("api.portal.test", forged)

    answers = laboratory.resolver().authority("chat.customer.test", "A")

    assert [answer.values for answer in answers] == [("192.0.2.80",)] * 2


@pytest.mark.parametrize(
    ("name", "missing"),
    [("dangling", "gone.api.portal.test"), ("lost", "nobody.test")],
)
def test_an_alias_to_nothing_names_what_is_missing(
    laboratory: Laboratory, name: str, missing: str
) -> None:
    answer = laboratory.resolver().authority(f"{name}.customer.test", "A")[0]

    assert answer.status == "no_name"
    assert answer.detail == f"{missing} does not exist"
    assert answer.alias


@pytest.mark.parametrize("name", ["loop1", "far1"], ids=["within a zone", "over two zones"])
def test_aliases_in_a_circle_are_told(laboratory: Laboratory, name: str) -> None:
    answer = laboratory.resolver().authority(f"{name}.customer.test", "A")[0]

    assert answer.status == "no_record"
    assert "circle" in answer.detail
    assert f"{name}.customer.test" in answer.alias


def test_a_longer_row_of_aliases_than_eight_is_given_up(laboratory: Laboratory) -> None:
    row = "".join(f"n{n} CNAME n{n + 1}\n" for n in range(30)) + "n30 A 192.0.2.1\n"
    for one in (laboratory.first, laboratory.second):
        one.serve("customer.test", zone_text("customer.test", row, servers=TWO_SERVERS))

    answer = laboratory.resolver().authority("n0.customer.test", "A")[0]

    assert answer.status == "no_record"
    assert "more than 8" in answer.detail


def test_an_alias_whose_zone_is_silent_could_not_be_asked(laboratory: Laboratory) -> None:
    laboratory.platform.faults["*", "*"] = "drop"

    answer = laboratory.resolver().authority("chat.customer.test", "A")[0]

    assert (answer.status, answer.trouble) == ("could_not_ask", "timeout")
    assert answer.alias == ("edge.api.portal.test",)


def test_private_addresses_of_strangers_are_not_asked(laboratory: Laboratory) -> None:
    answers = laboratory.resolver(allow_private_addresses=False).authority("www.customer.test", "A")

    assert {(one.status, one.trouble) for one in answers} == {("could_not_ask", "unreachable")}
    assert laboratory.first.asked == []
    assert laboratory.second.asked == []


def test_the_servers_of_known_zones_are_asked_without_a_search(laboratory: Laboratory) -> None:
    resolver = laboratory.resolver(
        known={"test": [laboratory.platform.address]}, allow_private_addresses=False
    )

    answer = resolver.authority("edge.api.portal.test", "A")[0]

    assert answer.values == ("192.0.2.80",)
    assert resolver.delegation("edge.api.portal.test").zone == "api.portal.test"
    assert resolver.delegation("shop.test").status == "no_name"
    assert resolver.public("shop.test", "A") == ()
    assert laboratory.public.asked == []


def test_a_second_question_needs_no_second_search(laboratory: Laboratory) -> None:
    resolver = laboratory.resolver()
    resolver.authority("www.customer.test", "A")
    before = len(laboratory.public.asked)

    resolver.authority("www.customer.test", "TXT")

    assert len(laboratory.public.asked) == before


def test_a_shared_deadline_ends_all_that_is_asked(laboratory: Laboratory) -> None:
    laboratory.everywhere("*", "A", "drop")
    resolver = laboratory.resolver(timeout=3.0)
    begin = time.monotonic()

    answers = resolver.authority("www.customer.test", "A", deadline=begin + 0.4)

    assert {one.trouble for one in answers} == {"timeout"}
    assert time.monotonic() - begin < 0.8


def test_public_resolvers_answer_for_visitors(laboratory: Laboratory) -> None:
    answer = laboratory.resolver().public("chat.customer.test", "A")[0]
    assert (answer.values, answer.alias) == (("192.0.2.80",), ("edge.api.portal.test",))


def test_a_failure_that_ends_without_signature_checks_is_bogus(laboratory: Laboratory) -> None:
    laboratory.public.faults["www.customer.test", "A"] = "bogus"

    answer = laboratory.resolver().public("www.customer.test", "A")[0]

    assert (answer.status, answer.trouble, answer.values) == ("could_not_ask", "bogus", ())
    assert "192.0.2.1" in answer.detail


def test_a_failure_that_passes_is_not_called_bogus(laboratory: Laboratory) -> None:
    laboratory.public.faults["www.customer.test", "A"] = ("flap", 1)
    assert laboratory.resolver().public("www.customer.test", "A")[0].status == "found"


def test_a_failure_for_good_is_a_failure(laboratory: Laboratory) -> None:
    laboratory.public.faults["www.customer.test", "A"] = "servfail"
    assert laboratory.resolver().public("www.customer.test", "A")[0].trouble == "servfail"


def test_broken_signatures_do_not_hide_the_way(laboratory: Laboratory) -> None:
    laboratory.public.faults["*", "*"] = "bogus"
    assert laboratory.resolver().authority("www.customer.test", "A")[0].status == "found"
