"""What is hidden is hidden everywhere, and nothing else is."""

from __future__ import annotations

import time

import pytest

from portal.request_history import redaction
from portal.request_history.redaction import KINDS, Redaction, hidden, hidden_in
from portal.request_history.storing import whole

pytestmark = pytest.mark.engine_independent

ALL = Redaction(tuple(KINDS), ("customer ######", "project*"))
TEXTS = {
    "write to anna.o'neil+x@mail.example.org, please": "write to anna.o'[mail], please",
    "a@b is no address, @home neither": "a@b is no address, @home neither",
    "card 4111 1111 1111 1111, thanks": "card [card], thanks",
    "card 4111-1111-1111-1111": "card [card]",
    "order 4111 1111 1111 1112": "order 4111 1111 1111 1112",
    "tel. 0049 30 123456": "tel. 0049 30 123456",
    "DE89 3704 0044 0532 0130 00 is mine": "[IBAN] is mine",
    "DE00 3704 0044 0532 0130 00 is not": "DE00 3704 0044 0532 0130 00 is not",
    "use sk-proj-abcdefghijklmnop1234": "use [key]",
    "Authorization: Bearer abcdefghijklmnopqrst": "Authorization: Bearer [key]",
    "I am Customer 123456 of it": "I am [hidden] of it",
    "customer 12": "customer 12",
    "about ProjectApollo, 2026": "about [hidden] 2026",
    "Wie viel kostet es? 22,00 €": "Wie viel kostet es? 22,00 €",
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.items(), ids=list(TEXTS))
def test_texts(text: str, expected: str) -> None:
    assert hidden(text, ALL) == expected


def test_json_of_every_shape() -> None:
    content = {"a@b.org": ["x@y.org", {"n": 4111111111111111, "t": None, "f": 1.5}], "k": True}
    assert hidden_in(content, Redaction(("mail",))) == {
        "[mail]": ["[mail]", {"n": 4111111111111111, "t": None, "f": 1.5}],
        "k": True,
    }


def test_what_nests_without_end_is_hidden_whole() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert hidden_in(deep, ALL) == redaction.TOO_DEEP


@pytest.mark.parametrize(
    "evil",
    [
        "a" * 300_000,
        "1 " * 150_000,
        "a@" * 150_000,
        "sk-" * 100_000,
        "DE89 " * 60_000,
        "." * 300_000,
    ],
)
def test_no_text_takes_long(evil: str) -> None:
    started = time.process_time()
    hidden(evil, ALL)
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("own", "evil"),
    [
        ("a*a*a*a*b", "a" * 20_000),
        ("a*" * 39 + "bc", "a" * 20_000),
        ("*" * 70 + "abc", "a" * 20_000),
        ("#*#*#*x", "1" * 20_000),
        ("* * * abc", " " * 20_000),
        ("abc *x", "abc" + " " * 20_000),
    ],
)
def test_no_words_of_an_account_take_long(own: str, evil: str) -> None:
    started = time.process_time()
    hidden(evil, Redaction((), (own,)))
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("own", "text", "expected"),
    [
        ("project*", "about projectApollo-7, yes", "about [hidden] yes"),
        (" project* ", "about projectApollo-7, yes", "about [hidden] yes"),
        ("*@firm.example", "to anna@firm.example now", "to [hidden] now"),
        ("case-*-##", "case-north-12 and case-north", "[hidden] and case-north"),
        ("a*b*cd", "axxbyybzzcd!", "[hidden]!"),
        ("a**cd", f"a{'x' * 70}cd", "[hidden]"),
        ("room  number #", "ROOM\n  number 7", "[hidden]"),
        ("50% (net)", "50% (net) of it", "[hidden] of it"),
    ],
)
def test_own_words(own: str, text: str, expected: str) -> None:
    assert hidden(text, Redaction((), (own,))) == expected


def test_a_row_is_written_without_it() -> None:
    row = whole(
        {
            "created_at": None,
            "request": {"message": "I am x@y.org"},
            "response": {"text": "Hello x@y.org"},
            "question_preview": "I am x@y.org",
            "answer_preview": "Hello x@y.org",
            "error_text": "x@y.org is blocked",
            "redaction": Redaction(("mail",)),
        }
    )
    assert "redaction" not in row
    assert "x@y.org" not in repr(row)


def test_an_account_that_hides_nothing_costs_nothing() -> None:
    assert redaction.of({}) is None
    assert redaction.of({"kinds": ["gone"], "own": []}) is None
    assert redaction.of({"kinds": ["mail"], "own": ["abc"]}) == Redaction(("mail",), ("abc",))


@pytest.mark.parametrize("own", ["a", "**", "* b", "x" * 81])
def test_own_words_that_would_hide_everything_are_refused(own: str) -> None:
    assert redaction.problem_of(own)
    assert not redaction.problem_of("customer ######")
