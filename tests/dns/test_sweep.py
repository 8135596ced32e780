"""Tens of thousands of questions at once: each is answered once, and nobody waits for the dead."""

import itertools
import random
from collections.abc import Callable, Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from portal.dns import Answer
from portal.dns.ask import ask, read_response
from portal.dns.quick_wire import answers_question, question_wire, quick_answer
from portal.dns.sweep import BACKLOG, ask_many
from portal.dns.sweep_servers import Question
from tests.dns_peers import Fault, FaultyAuthority, StartPeer, zone_text
from tests.sampling import some_short

pytestmark = pytest.mark.engine_independent

RECORDS = """www A 192.0.2.1
www A 192.0.2.2
www AAAA 2001:db8::1
www TXT "one" "two"
www TXT "with \\"quotes\\""
chat CNAME www
loop1 CNAME loop2
loop2 CNAME loop1
foreign CNAME www.elsewhere.test.
@ CAA 0 issue "ca.example.test"
*.wild A 192.0.2.7
""" + "".join(f'long TXT "{n:03d}{"x" * 150}"\n' for n in range(30))
ASKED = [
    *itertools.product(
        ["www", "chat", "loop1", "foreign", "nobody"], ["A", "AAAA", "TXT", "CNAME"]
    ),
    ("@", "CAA"),
    ("@", "NS"),
    ("@", "SOA"),
    ("any.wild", "A"),
    ("long", "TXT"),
]


@pytest.fixture
def server(faulty_authority: Callable[..., FaultyAuthority]) -> FaultyAuthority:
    return faulty_authority({"shop.test": zone_text("shop.test", RECORDS)})


def of(server: tuple[str, int], name: str, kind: str = "A") -> Question:
    full = "shop.test" if name == "@" else f"{name}.shop.test"
    return Question(full, kind, server, zone="shop.test")


def sweep(questions: list[Question], **options: float) -> dict[tuple[str, str], Answer]:
    """Each question's answer; every one has exactly one."""
    found = list(ask_many(questions, allow_private_addresses=True, **options))
    assert sorted(q.name for q, _ in found) == sorted(q.name for q in questions)
    return {(question.name, question.type): answer for question, answer in found}


def test_says_what_a_single_question_says(server: FaultyAuthority) -> None:
    questions = [of(server.address, name, kind) for name, kind in ASKED]

    found = sweep(questions)

    for one in questions:
        single = ask(one.server, one.name, one.type, recursive=False, timeout=2, zone="shop.test")
        assert found[one.name, one.type] == single
    assert found["www.shop.test", "TXT"].values == ("onetwo", 'with "quotes"')
    assert len(found["long.shop.test", "TXT"].values) == 30
    assert found["loop1.shop.test", "A"].status == "no_record"


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ("servfail", "servfail"),
        ("refused", "refused"),
        ("lame", "lame"),
        ("drop", "timeout"),
        ("garbage", "timeout"),
        ("bad_id", "timeout"),
        ("wrong_question", "timeout"),
        ("tc_always", "truncated"),
        ("tc", ""),
        (("lose", 1), ""),
        (("delay", 0.3), ""),
    ],
)
def test_trouble_of_one_name_is_its_own(
    server: FaultyAuthority, fault: Fault, trouble: str
) -> None:
    server.faults["www.shop.test", "A"] = fault

    found = sweep([of(server.address, name) for name in ("www", "any.wild", "nobody")], timeout=0.9)

    assert found["www.shop.test", "A"].trouble == trouble
    assert (found["www.shop.test", "A"].status == "could_not_ask") is bool(trouble)
    assert found["any.wild.shop.test", "A"].status == "found"
    assert found["nobody.shop.test", "A"].status == "no_name"


def test_silence_is_waited_for_as_long_as_said_and_the_question_sent_twice(
    server: FaultyAuthority,
) -> None:
    server.faults["www.shop.test", "A"] = "drop"

    sweep([of(server.address, "www")], timeout=0.5)

    assert len(server.asked) == 2


@pytest.mark.long
def test_thousands_of_names_are_answered_once_each(server: FaultyAuthority) -> None:
    questions = [of(server.address, f"n{number}.wild") for number in range(1500)]

    found = sweep(questions, timeout=30)

    assert len(found) == 1500
    assert {answer.values for answer in found.values()} == {("192.0.2.7",)}


def test_a_hundred_dead_servers_delay_nobody(server: FaultyAuthority) -> None:
    dead = [
        of((f"127.9.9.{number}", server.port), f"n{turn}.wild")
        for turn in range(20)
        for number in range(1, 101)
    ]
    alive = [of(server.address, f"a{number}.wild") for number in range(200)]

    order = [
        question.server == server.address
        for question, _ in ask_many(dead + alive, timeout=3, allow_private_addresses=True)
    ]

    assert order == [True] * 200 + [False] * 2000


def test_a_server_that_never_answers_is_asked_twice_and_no_more() -> None:
    questions = [of(("127.9.9.1", 9), f"n{number}") for number in range(500)]

    found = sweep(questions, timeout=0.3)

    words = [answer.detail for answer in found.values()]
    assert {answer.trouble for answer in found.values()} == {"timeout"}
    assert sum("within 0.3 s" in one for one in words) == 2
    assert sum("other questions" in one for one in words) == 498


def test_many_dead_names_do_not_make_a_server_dead(server: FaultyAuthority) -> None:
    dead = [f"dead{number}.wild" for number in range(40)]
    for name in dead:
        server.faults[f"{name}.shop.test", "A"] = "drop"
    names = [f"a{n}.wild" for n in range(50)] + dead + [f"b{n}.wild" for n in range(300)]

    found = sweep([of(server.address, name) for name in names], timeout=1.5)

    silent = {name for (name, _), answer in found.items() if answer.status == "could_not_ask"}
    assert silent == {f"{name}.shop.test" for name in dead}


def test_a_public_resolver_is_not_given_up_for_the_dead_names_it_is_asked_first(
    server: FaultyAuthority,
) -> None:
    server.faults["dead.shop.test", "A"] = "drop"
    dead = [Question("dead.shop.test", "A", server.address, recursive=True)] * 100
    alive = [
        Question(f"n{number}.wild.shop.test", "A", server.address, recursive=True)
        for number in range(100)
    ]

    found = sweep(dead + alive, timeout=0.8)

    assert {found[one.name, "A"].status for one in alive} == {"found"}


def test_more_cut_answers_than_there_may_be_streams_all_come(server: FaultyAuthority) -> None:
    server.faults["*", "*"] = "tc"

    found = sweep([of(server.address, f"n{number}.wild") for number in range(150)])

    assert {answer.values for answer in found.values()} == {("192.0.2.7",)}
    assert [by for _, _, by in server.asked].count("tcp") == 150


def test_streams_that_lead_to_nothing_are_given_up(server: FaultyAuthority) -> None:
    server.faults["*", "*"] = "tc_then_silence"

    found = sweep([of(server.address, f"n{number}.wild") for number in range(20)], timeout=0.4)

    assert {answer.trouble for answer in found.values()} <= {"timeout", "unreachable"}


def test_only_so_many_questions_are_held_as_may_wait(server: FaultyAuthority) -> None:
    taken = 0

    def endless() -> Iterator[Question]:
        nonlocal taken
        while True:
            taken += 1
            yield of(server.address, f"n{taken}.wild")

    answers = ask_many(endless(), allow_private_addresses=True)
    some = list(itertools.islice(answers, 20))
    answers.close()

    assert len(some) == 20
    assert taken < BACKLOG + 1000


def test_private_addresses_are_asked_only_as_our_own_resolvers(server: FaultyAuthority) -> None:
    stranger = of(server.address, "www")
    ours = Question("www.shop.test", "AAAA", server.address, recursive=True)

    found = {question.type: answer for question, answer in ask_many([stranger, ours])}

    assert (found["A"].status, found["A"].trouble) == ("could_not_ask", "unreachable")
    assert found["AAAA"].values == ("2001:db8::1",)
    assert [kind for _, kind, _ in server.asked] == ["AAAA"]


def test_a_name_that_is_none_could_not_be_asked(server: FaultyAuthority) -> None:
    found = sweep([Question("a..b", "A", server.address), of(server.address, "www")])

    assert found["a..b", "A"].status == "could_not_ask"
    assert found["www.shop.test", "A"].status == "found"


def test_nothing_to_ask_is_nothing_found() -> None:
    assert list(ask_many([])) == []


@pytest.mark.parametrize("kind", ["bind", "knot"])
def test_real_servers_answer_a_sweep(kind: str, request: pytest.FixtureRequest) -> None:
    start: StartPeer = request.getfixturevalue(f"start_{kind}")
    peer = start({"shop.test": zone_text("shop.test", RECORDS)})
    questions = [of(peer.address, f"n{number}.wild") for number in range(300)]
    questions += [of(peer.address, name, type) for name, type in ASKED]

    found = sweep(questions)

    for one in questions[290:]:
        single = ask(one.server, one.name, one.type, recursive=False, timeout=2, zone="shop.test")
        assert found[one.name, one.type] == single


@pytest.mark.parametrize("seed", some_short(range(5), one_in=5))
def test_reading_quickly_says_the_same_as_reading_the_long_way(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 the same answers in every run
    server = ("192.0.2.53", 53)
    read = 0
    for _ in range(600):
        wire, asked, recursive = answer_by_chance(chance)
        if not answers_question(wire, asked):
            continue
        quick = quick_answer(wire, asked, server, recursive=recursive)
        if quick is not None:
            read += 1
            assert quick == read_response(dns.message.from_wire(wire), server, recursive)
    assert read > 60


def answer_by_chance(chance: random.Random) -> tuple[bytes, bytes, bool]:
    """An answer of any kind, sometimes with a broken octet before its EDNS record."""
    kind = chance.choice(["A", "AAAA", "TXT"])
    recursive = chance.random() < 0.5
    asked = question_wire("www.shop.test", kind, recursive=recursive)
    response = dns.message.make_response(dns.message.from_wire(asked), recursion_available=True)
    response.flags |= dns.flags.AA if chance.random() < 0.8 else 0
    if chance.random() < 0.1:
        response.set_rcode(dns.rcode.SERVFAIL)
    texts = {"A": "192.0.2.{}", "AAAA": "2001:db8::{}", "TXT": '"t{}" "more"'}
    values = [texts[kind].format(chance.randrange(200)) for _ in range(chance.randrange(4))]
    if values:
        rrset = dns.rrset.from_text_list(
            "www.shop.test.", chance.randrange(900), "IN", kind, values
        )
        response.answer.append(rrset)
    wire = bytearray(response.to_wire())
    if chance.random() < 0.2:
        wire[chance.randrange(12, len(wire) - 11)] ^= 1 << chance.randrange(8)
    try:
        dns.message.from_wire(bytes(wire))
    except Exception:
        return b"", asked, recursive
    return bytes(wire), asked, recursive
