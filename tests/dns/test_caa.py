"""Who may issue a certificate for a name."""

import pytest

from portal.dns import Answer
from portal.dns.caa import CaaSet, relevant_caa

pytestmark = pytest.mark.engine_independent

OURS = ("ca.example.test",)


class Zones:
    """Answers from a table; what is not in it is no record."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = {name.replace("_", "."): answer for name, answer in answers.items()}
        self.asked: list[str] = []

    def ask(self, name: str, type: str) -> tuple[Answer, ...]:
        assert type == "CAA"
        self.asked.append(name)
        return (self.answers.get(name, Answer("no_record")),)


def found(*values: str) -> Answer:
    return Answer("found", values)


def test_the_closest_set_on_the_way_up_counts() -> None:
    zones = Zones(shop_test=found('0 issue "far.test"'), a_shop_test=found('0 issue "near.test"'))

    assert relevant_caa(zones.ask, "x.a.shop.test") == CaaSet(
        "a.shop.test", ('0 issue "near.test"',)
    )
    assert zones.asked == ["x.a.shop.test", "a.shop.test"]


def test_without_any_set_everybody_may_issue_and_the_top_was_asked_too() -> None:
    zones = Zones()

    assert relevant_caa(zones.ask, "*.a.shop.test").allows(OURS, wildcard=True)
    assert zones.asked == ["a.shop.test", "shop.test", "test"]


def test_a_zone_that_cannot_be_asked_is_no_yes() -> None:
    zones = Zones(shop_test=Answer("could_not_ask", trouble="servfail", detail="SERVFAIL"))

    assert relevant_caa(zones.ask, "a.shop.test") == CaaSet("shop.test", (), "servfail", "SERVFAIL")


def test_a_public_suffix_that_cannot_be_asked_says_nothing() -> None:
    zones = Zones(test=Answer("could_not_ask", trouble="timeout"))
    assert relevant_caa(zones.ask, "a.shop.test") == CaaSet()


@pytest.mark.parametrize(
    ("values", "host", "wildcard"),
    [
        ([], True, True),
        (['0 issue "ca.example.test"'], True, True),
        (['0 issue "CA.Example.Test; validationmethods=dns-01"'], True, True),
        (['0 issue "other.test"'], False, False),
        (['0 issue "other.test"', '0 issue "ca.example.test"'], True, True),
        (['0 issue ";"'], False, False),
        (['0 issue "ca.example.test"', '0 issuewild ";"'], True, False),
        (['0 issue "other.test"', '0 issuewild "ca.example.test"'], False, True),
        (['0 issuewild "other.test"'], True, False),
        (['0 iodef "mailto:security@shop.test"'], True, True),
        (['0 issue "ca.example.test"', '128 future "x"'], False, False),
        (['0 issue "ca.example.test"', '0 future "x"'], True, True),
        (["broken"], False, False),
    ],
)
def test_the_verdict(values: list[str], host: bool, wildcard: bool) -> None:
    records = CaaSet("shop.test", tuple(values))

    assert records.allows(OURS, wildcard=False) is host
    assert records.allows(OURS, wildcard=True) is wildcard
