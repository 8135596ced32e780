"""The embedded name server answers as an authority does."""

import socket
import threading
import time
from collections.abc import Callable

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from portal.dns import Record
from portal.dns.local import LocalZoneEditor
from portal.dns.local_server import LocalNameServer

pytestmark = pytest.mark.engine_independent

ZONE = "api.example.test"


def ask(
    server: LocalNameServer, name: str, kind: str, *, tcp: bool = False, edns: bool = True
) -> dns.message.Message:
    query = dns.message.make_query(name, kind, use_edns=0 if edns else False)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, "127.0.0.1", port=server.port, timeout=2)


def lines(rrsets: list[object]) -> list[str]:
    return sorted(line for rrset in rrsets for line in str(rrset).splitlines())


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_answers_with_every_value_and_the_authority_flag(
    server: LocalNameServer, tcp: bool
) -> None:
    answer = ask(server, "www.customer.test", "A", tcp=tcp)

    assert answer.rcode() == dns.rcode.NOERROR
    assert answer.flags & dns.flags.AA
    assert lines(answer.answer) == [
        "www.customer.test. 120 IN A 192.0.2.1",
        "www.customer.test. 120 IN A 192.0.2.2",
    ]


def test_a_name_is_the_same_in_upper_case_and_comes_back_as_asked(server: LocalNameServer) -> None:
    answer = ask(server, "WwW.Customer.Test", "A")

    assert len(answer.answer[0]) == 2
    assert answer.question[0].name.to_text() == "WwW.Customer.Test."


def test_a_missing_name_is_nxdomain_with_the_start_of_authority(server: LocalNameServer) -> None:
    answer = ask(server, "nobody.customer.test", "A")

    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert answer.authority[0].name.to_text() == "customer.test."
    assert answer.authority[0].ttl == answer.authority[0][0].minimum == 5


def test_a_missing_type_is_no_error_with_the_start_of_authority(server: LocalNameServer) -> None:
    answer = ask(server, "www.customer.test", "AAAA")

    assert answer.rcode() == dns.rcode.NOERROR
    assert not answer.answer
    assert answer.authority[0].name.to_text() == "customer.test."


def test_a_name_that_only_has_names_below_it_exists(server: LocalNameServer) -> None:
    assert ask(server, "wild.customer.test", "A").rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize("name", ["x.wild.customer.test", "a.b.wild.customer.test"])
def test_a_wildcard_answers_for_every_name_below(server: LocalNameServer, name: str) -> None:
    assert lines(ask(server, name, "A").answer) == [f"{name}. 30 IN A 192.0.2.7"]


def test_a_wildcard_does_not_answer_for_a_name_that_exists(
    server: LocalNameServer, editor: LocalZoneEditor
) -> None:
    editor.publish(Record(f"*.{ZONE}", "A", ("127.0.0.1",), 60))
    editor.publish(Record(f"deep.real.{ZONE}", "TXT", ("here",), 60))

    assert ask(server, f"other.{ZONE}", "A").answer
    assert not ask(server, f"deep.real.{ZONE}", "A").answer
    assert not ask(server, f"x.real.{ZONE}", "A").answer


def test_an_alias_is_followed_into_another_zone_of_the_server(server: LocalNameServer) -> None:
    assert lines(ask(server, "chat.customer.test", "A").answer) == [
        "chat.customer.test. 30 IN CNAME edge.api.example.test.",
        "edge.api.example.test. 60 IN A 127.0.0.1",
    ]


def test_a_wildcard_alias_is_followed_too(server: LocalNameServer) -> None:
    answer = ask(server, "any.alias.customer.test", "A").answer
    assert lines(answer)[0] == "any.alias.customer.test. 30 IN CNAME edge.api.example.test."
    assert len(answer) == 2


def test_a_dangling_alias_is_nxdomain_with_the_alias(server: LocalNameServer) -> None:
    answer = ask(server, "dangling.customer.test", "A")

    assert answer.rcode() == dns.rcode.NXDOMAIN
    assert len(answer.answer) == 1


def test_an_alias_loop_ends(server: LocalNameServer) -> None:
    assert len(ask(server, "loop1.customer.test", "A").answer) >= 2


def test_a_delegated_name_is_referred_to_its_servers_without_authority(
    server: LocalNameServer,
) -> None:
    answer = ask(server, "www.child.customer.test", "A")

    assert not answer.flags & dns.flags.AA
    assert not answer.answer
    assert lines(answer.authority) == ["child.customer.test. 30 IN NS ns.child.customer.test."]
    assert lines(answer.additional) == ["ns.child.customer.test. 30 IN A 192.0.2.53"]


def test_caa_is_served(server: LocalNameServer) -> None:
    assert str(ask(server, "customer.test", "CAA").answer[0][0]) == '0 issue "ca.example.test"'


def test_a_foreign_name_is_refused(server: LocalNameServer) -> None:
    assert ask(server, "example.com", "A").rcode() == dns.rcode.REFUSED


def test_an_answer_too_large_for_udp_is_cut_and_whole_by_tcp(server: LocalNameServer) -> None:
    assert ask(server, "long.customer.test", "TXT").flags & dns.flags.TC
    assert len(ask(server, "long.customer.test", "TXT", tcp=True).answer[0]) == 30


def test_a_client_without_edns_gets_at_most_512_octets(server: LocalNameServer) -> None:
    answer = ask(server, "long.customer.test", "TXT", edns=False)
    assert answer.flags & dns.flags.TC
    assert len(answer.to_wire()) <= 512


@pytest.mark.parametrize(
    "octets", [b"", b"\x00" * 5, b"\xff" * 40, b"\x12\x34\x01\x00" + b"\xff" * 60]
)
def test_rubbish_does_not_stop_it(server: LocalNameServer, octets: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(octets, ("127.0.0.1", server.port))
    with socket.create_connection(("127.0.0.1", server.port)) as sender:
        sender.sendall(octets)

    assert ask(server, "www.customer.test", "A").answer
    assert ask(server, "www.customer.test", "A", tcp=True).answer


def test_many_updates_and_questions_at_once_lose_nothing(
    server: LocalNameServer, edit: Callable[..., LocalZoneEditor]
) -> None:
    def work(number: int) -> None:
        own = edit(server.port)
        for turn in range(5):
            own.publish(Record(f"n{turn}.w{number}.{ZONE}", "A", ("127.0.0.1",), 60))
            ask(server, "www.customer.test", "A")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    names = [f"n{turn}.w{number}.{ZONE}" for turn in range(5) for number in range(8)]
    assert all(ask(server, name, "A").answer for name in names)


def test_starts_in_a_fifth_of_a_second_and_stops_without_a_thread_left(
    start_server: Callable[..., LocalNameServer],
) -> None:
    threads = set(threading.enumerate())
    begin = time.monotonic()
    server = start_server()
    ask(server, "www.customer.test", "A")
    took = time.monotonic() - begin
    idle = socket.create_connection(("127.0.0.1", server.port))
    dns.query.tcp(dns.message.make_query("www.customer.test", "A"), "127.0.0.1", sock=idle)

    server.stop()
    server.stop()

    assert took < 0.2
    idle.settimeout(2)
    assert idle.recv(1) == b""
    idle.close()
    wait_until(lambda: set(threading.enumerate()) <= threads)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 2
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
