"""One question to one server: a "no" is told from "could not ask"."""

import socket
import time
from typing import Any

import pytest

from portal.dns import Answer
from portal.dns.ask import ask
from portal.dns.local_server import LocalNameServer

pytestmark = pytest.mark.engine_independent

NAME = "www.customer.test"


def authority(port: int, name: str = NAME, kind: str = "A", timeout: float = 0.4) -> Answer:
    return ask(("127.0.0.1", port), name, kind, recursive=False, timeout=timeout)


def public(port: int, name: str = NAME, kind: str = "A", timeout: float = 0.4) -> Answer:
    return ask(("127.0.0.1", port), name, kind, recursive=True, timeout=timeout)


def test_finds_every_value_in_order_with_its_lifetime_and_server(server: LocalNameServer) -> None:
    assert authority(server.port) == Answer(
        "found", ("192.0.2.1", "192.0.2.2"), 120, f"127.0.0.1:{server.port}"
    )


def test_a_missing_name_is_a_no_with_the_time_it_may_be_repeated(server: LocalNameServer) -> None:
    answer = authority(server.port, "nobody.customer.test")
    assert (answer.status, answer.ttl) == ("no_name", 5)


def test_a_missing_type_is_a_no_of_its_own(server: LocalNameServer) -> None:
    answer = authority(server.port, NAME, "TXT")
    assert (answer.status, answer.ttl) == ("no_record", 5)


def test_an_alias_is_told_with_the_address_it_leads_to(server: LocalNameServer) -> None:
    answer = authority(server.port, "chat.customer.test")
    assert (answer.values, answer.alias) == (("127.0.0.1",), ("edge.api.example.test",))


def test_the_alias_itself_can_be_asked_for(server: LocalNameServer) -> None:
    answer = authority(server.port, "chat.customer.test", "CNAME")
    assert (answer.values, answer.alias) == (("edge.api.example.test",), ())


def test_a_dangling_alias_names_what_is_missing(server: LocalNameServer) -> None:
    answer = authority(server.port, "dangling.customer.test")

    assert answer.status == "no_name"
    assert answer.detail == "gone.api.example.test does not exist"
    assert answer.alias == ("gone.api.example.test",)


def test_an_alias_that_leaves_the_server_is_told_with_its_target(server: LocalNameServer) -> None:
    answer = authority(server.port, "foreign.customer.test")
    assert (answer.status, answer.alias) == ("no_record", ("elsewhere.invalid",))


def test_an_alias_loop_ends_without_an_address(server: LocalNameServer) -> None:
    assert authority(server.port, "loop1.customer.test").status != "found"


def test_an_answer_too_large_for_udp_comes_by_tcp(server: LocalNameServer) -> None:
    assert len(authority(server.port, "long.customer.test", "TXT").values) == 30


def test_an_authority_may_stand_in_for_a_public_resolver(server: LocalNameServer) -> None:
    assert public(server.port).status == "found"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("servfail", "SERVFAIL"),
        ("refused", "REFUSED"),
        ("drop", "no usable answer within 0.4 s"),
        ("garbage", "no usable answer"),
        ("wrong_id", "no usable answer"),
        ("truncated_always", "cut short"),
        ("lame", "lame"),
    ],
)
def test_a_server_that_fails_could_not_be_asked(faulty: Any, fault: str, words: str) -> None:
    faulty.fault = fault
    begin = time.monotonic()

    answer = authority(faulty.port)

    assert (answer.status, answer.values) == ("could_not_ask", ())
    assert words in answer.detail
    assert time.monotonic() - begin < 0.7


def test_a_truncated_answer_is_asked_for_again_by_tcp(faulty: Any) -> None:
    faulty.fault = "truncated"

    assert authority(faulty.port).values == ("192.0.2.9",)
    assert faulty.asked == ["udp", "tcp"]


def test_one_lost_datagram_is_survived(faulty: Any) -> None:
    faulty.fault = "drop_first"
    assert authority(faulty.port).values == ("192.0.2.9",)


def test_a_public_server_that_does_not_resolve_for_us_could_not_be_asked(faulty: Any) -> None:
    faulty.fault = "no_recursion"
    answer = public(faulty.port)
    assert (answer.status, answer.detail) == (
        "could_not_ask",
        "the server does not resolve names for us",
    )


def test_nobody_there_could_not_be_asked() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert authority(silent.getsockname()[1], timeout=0.2).status == "could_not_ask"
