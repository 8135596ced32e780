"""Every reason has its words, on the page and in the handbook, in the language of the house."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portal.custom_domains import reason_words, reasons
from portal.custom_domains.results import Acts, Checks, Reasons

pytestmark = pytest.mark.engine_independent

HANDBOOK = Path(__file__).parents[2] / "docs" / "domains.md"
TESTS = Path(__file__).with_name("test_reasons.py")
LINES = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", HANDBOOK.read_text(), re.MULTILINE))
WORDS = [(str(reason), words) for reason, words in reason_words.WORDS.items()]
WORDS += [(f"{reason} {check}", words) for (reason, check), words in reason_words.OF_CHECK.items()]


def test_every_reason_has_its_words_and_no_other_has() -> None:
    assert set(reason_words.WORDS) == set(Reasons)
    assert {reason for reason, _ in reason_words.OF_CHECK} <= set(Reasons)


def test_the_handbook_has_a_line_for_every_reason() -> None:
    assert list(LINES) == [reason.value for reason in Reasons]


@pytest.mark.parametrize("reason", list(Reasons))
def test_the_handbook_names_the_same_who(reason: Reasons) -> None:
    who = {Acts.CUSTOMER: "You", Acts.PLATFORM: "We", Acts.NOBODY: "Nobody"}
    acts = LINES[reason].rpartition("|")[2].strip()
    assert acts.startswith(who[reason_words.WORDS[reason].who_acts])


@pytest.mark.parametrize("reason", list(Reasons))
def test_every_reason_is_produced_by_a_server_in_a_test(reason: Reasons) -> None:
    assert f"Reasons.{reason.name}" in TESTS.read_text()


@pytest.mark.parametrize(("name", "words"), WORDS, ids=[name for name, _ in WORDS])
def test_the_words_are_whole_and_calm(name: str, words: reason_words.Words) -> None:
    for text in (words.sentence, words.fix):
        assert text
        assert text[0].isupper() or text[0] == "{"
        assert text.rstrip()[-1] in ".}"
        assert not re.search(r"\b(please|successfully|invalid|NXDOMAIN|RRset)\b|!", text, re.I)


def test_every_placeholder_is_filled() -> None:
    filled = reasons.failed(
        Checks.ROUTING, "bot.weinhof.de", Reasons.FOREIGN_ADDRESS, others="x", label="bot"
    )
    assert "{" not in filled.sentence + filled.fix
