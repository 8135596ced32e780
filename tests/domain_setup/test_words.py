"""What differs is marked, names are set apart, and the worst comes first; from values alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.custom_domains import reasons, standing, words
from portal.custom_domains.comparing import difference, with_names
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.results import CheckResult, Checks, Reasons, Verdicts
from portal.custom_domains.titles import TITLES

pytestmark = pytest.mark.engine_independent
NOW = datetime(2026, 11, 21, 13, 31, tzinfo=UTC)
States = LLMClientCustomDomain.States


def marked(text: str, found: str) -> tuple[str, str]:
    """Both sides with what is marked in brackets."""
    sides = difference(text, found)
    expected, seen = (
        "".join(f"[{part.text}]" if part.is_different else part.text for part in side)
        for side in sides
    )
    return expected, seen


@pytest.mark.parametrize(
    ("expected", "found", "shown"),
    [
        ("_a.b.example", "_a.b.example.b.example", "_a.b.example[.b.example]"),
        ("llm-verify=7f2c", "llm-verify=7f3c", "llm-verify=7f[3]c"),
        ("llm-verify=7f2c", "llm-verify=7f2c ", "llm-verify=7f2c[␣]"),
        ("llm-verify=7f2c", '"llm-verify=7f2c" ', '["]llm-verify=7f2c["␣]'),
        ("edge.example", "192.0.2.7", "[192.0.2.7]"),
        ("edge.example", "edge.example", "edge.example"),
    ],
)
def test_the_least_part_that_differs_is_marked(expected: str, found: str, shown: str) -> None:
    assert marked(expected, found) == (expected, shown)


def test_what_is_missing_is_marked_in_what_was_expected() -> None:
    assert marked("llm-verify=7f2c91", "llm-verify=7f2c") == (
        "llm-verify=7f2c[91]",
        "llm-verify=7f2c",
    )


def test_names_and_values_in_a_sentence_are_set_apart() -> None:
    sentence = "Change _llm-verify at a-b.example. Use llm-verify=7f, not 192.0.2.1 or 2001:db8::1."
    found = [part.text for part in with_names(sentence) if part.is_different]
    assert found == ["_llm-verify", "a-b.example", "llm-verify=7f", "192.0.2.1", "2001:db8::1"]
    assert "".join(part.text for part in with_names(sentence)) == sentence


def test_every_reason_has_a_headline() -> None:
    assert set(TITLES) == set(Reasons)


def a_result(check: Checks, reason: Reasons) -> CheckResult:
    return reasons.failed(check, "a.example", reason)


def test_who_has_to_act_comes_before_who_waits() -> None:
    ours = a_result(Checks.EXISTS, Reasons.PORT_80_CLOSED)
    theirs = a_result(Checks.ISSUABLE, Reasons.CAA_FORBIDS)
    nobodys = a_result(Checks.OWNERSHIP, Reasons.STILL_CACHED)
    patient = a_result(Checks.HTTPS, Reasons.WAITS_FOR_OTHERS)
    assert words.worst_of((patient, nobodys, ours, theirs)) is theirs
    assert words.worst_of((patient, nobodys)) is nobodys
    assert words.worst_of((patient,)) is None
    assert words.worst_of(()) is None


@pytest.mark.parametrize("reason", Reasons)
def test_every_reason_can_be_drawn(reason: Reasons) -> None:
    for check in Checks:
        finding = words.finding_of(a_result(check, reason))
        assert finding.status.word
        assert finding.sentence
        assert finding.who or finding.fix


def test_five_lines_always_stand_there() -> None:
    lines = words.check_lines((a_result(Checks.ROUTING, Reasons.FOREIGN_ADDRESS),))
    assert [line.number for line in lines] == [1, 2, 3, 4, 5]
    assert [line.status.word for line in lines] == [
        "Not yet",
        "Not yet",
        "Wrong",
        "Not yet",
        "Not yet",
    ]


RIGHT = CheckResult(Checks.ROUTING, "x.a.example", Verdicts.PASS, "Ours.")


@pytest.mark.parametrize(
    ("result", "found", "is_required", "word"),
    [
        (None, None, True, "Not checked yet"),
        (None, None, False, "Optional"),
        (None, (), False, "Not published"),
        (None, ("other",), False, "Other value"),
        (None, ("edge",), False, "Correct"),
        (RIGHT, ("edge",), True, "Correct"),
        (RIGHT, ("192.0.2.1",), True, "Correct"),
        (RIGHT, (), False, "Not needed"),
        (a_result(Checks.ROUTING, Reasons.MISSING_AT_AUTHORITY), (), True, "Not published"),
        (a_result(Checks.ROUTING, Reasons.WAITS_FOR_OTHERS), (), True, "Not checked yet"),
    ],
)
def test_a_record_has_a_word_of_its_own(
    result: CheckResult | None, found: tuple[str, ...] | None, is_required: bool, word: str
) -> None:
    told = words.record_word(result, ("edge",), found, is_required=is_required)
    assert told.word == word


def a_domain(**columns: object) -> LLMClientCustomDomain:
    values = {"domain_name": "a.example", "state": States.PENDING, "is_verified": False}
    return LLMClientCustomDomain(**{**values, "watched_since": NOW, **columns})


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ({}, "Checking"),
        ({"state": States.PAUSED}, "Paused"),
        ({"state": States.AT_RISK, "is_verified": True}, "At risk"),
        ({"state": States.REMOVING}, "Being removed"),
    ],
)
def test_a_domain_has_a_word_before_any_check(columns: dict[str, object], word: str) -> None:
    assert words.status_of(a_domain(**columns), ())[0].word == word


def test_a_domain_is_live_when_its_hosts_answer() -> None:
    verified = a_domain(state=States.VERIFIED, is_verified=True)
    passing = CheckResult(Checks.HTTPS, "x.a.example", Verdicts.PASS, "Ours.")
    closed = a_result(Checks.HTTPS, Reasons.NOT_DEPLOYED)
    assert words.status_of(verified, (passing,))[0].word == "Live"
    assert words.status_of(verified, (closed,)) == (
        words.status_view("ready", "Verified"),
        "Deploy a client to open its host",
    )


def test_the_pace_is_told_in_the_time_of_the_account() -> None:
    young = standing.pace(a_domain(), NOW, "Europe/Berlin")
    assert young.startswith("Each minute until 14:46, then less and less often until 5 December.")
    old = standing.pace(a_domain(watched_since=NOW - timedelta(days=3)), NOW, "Europe/Berlin")
    assert old == "Less and less often until 2 December, at least every four hours."


@pytest.mark.parametrize(
    ("columns", "milliseconds"),
    [
        ({"next_attempt_at": NOW + timedelta(seconds=30)}, 3_000),
        ({"next_attempt_at": NOW + timedelta(hours=3)}, None),
        ({"next_attempt_at": None, "state": States.PAUSED}, None),
        ({"check_asked_at": NOW, "next_attempt_at": NOW}, 1_000),
        ({"check_asked_at": NOW, "checked_at": NOW, "next_attempt_at": None}, None),
        (
            {
                "watched_since": NOW - timedelta(days=2),
                "next_attempt_at": NOW + timedelta(minutes=3),
            },
            15_000,
        ),
    ],
)
def test_a_page_asks_again_as_often_as_something_can_change(
    columns: dict[str, object], milliseconds: int | None
) -> None:
    assert standing.poll_after(a_domain(**columns), NOW) == milliseconds
