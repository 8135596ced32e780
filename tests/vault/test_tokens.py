"""The text of a key: what is made can be read, and nothing else can."""

from __future__ import annotations

import pytest

from portal.vault import tokens

pytestmark = pytest.mark.engine_independent

ID, SECRET = "abcDEF012345", "Z" * 43
UNCHECKED = f"portal_{ID}_{SECRET}"
GOOD = UNCHECKED + tokens.checksum(UNCHECKED)


def test_a_key_looks_the_same_in_every_version() -> None:
    written = f"portal_{ID}_{SECRET}1ruSrY"
    assert written == GOOD
    assert tokens.parse(GOOD) == tokens.Token(f"portal_{ID}", GOOD)


def test_what_is_made_is_read() -> None:
    made = tokens.make()
    assert tokens.parse(made.text) == made
    assert made.text.startswith(made.prefix + "_")
    assert len(made.prefix) == 19
    assert len(made.text) == 69


def test_no_two_keys_are_alike() -> None:
    made = [tokens.make() for _ in range(200)]
    assert len({token.prefix for token in made}) == 200
    assert len({token.text[20:] for token in made}) == 200


def test_the_secret_is_in_no_representation() -> None:
    made = tokens.make()
    assert made.text not in repr(made)
    assert made.prefix in repr(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "portal_",
        "Bearer " + GOOD,
        GOOD[:-1],
        GOOD + "0",
        GOOD + "\n",
        " " + GOOD,
        GOOD.upper(),
        GOOD.replace("portal_", "sk-"),
        GOOD.replace("Z", "Y", 1),
        GOOD.replace("abc", "cba"),
        GOOD[:-1] + ("A" if GOOD[-1] != "A" else "B"),
        GOOD[:30] + GOOD[31] + GOOD[30] + GOOD[32:-6] + "000000",
        GOOD.replace("Z", "é", 1),
        GOOD.replace("Z", "\x00", 1),
        GOOD.replace("0", "٠", 1),
        GOOD.replace("_", "-"),
        "x" * 100_000,
    ],
)
def test_what_was_never_a_key_is_told_at_once(text: str) -> None:
    assert tokens.parse(text) is None


def test_every_single_letter_is_covered_by_the_checksum() -> None:
    for place in range(len("portal_"), len(GOOD)):
        if GOOD[place] == "_":
            continue
        other = "1" if GOOD[place] != "1" else "2"
        assert tokens.parse(GOOD[:place] + other + GOOD[place + 1 :]) is None, place


@pytest.mark.parametrize(
    ("number", "length", "text"),
    [(0, 1, "0"), (61, 1, "z"), (62, 2, "10"), (0, 6, "000000"), (2**32 - 1, 6, "4gfFC3")],
)
def test_base62(number: int, length: int, text: str) -> None:
    assert tokens.base62(number, length) == text


def test_all_of_256_bits_fit_and_more_would_be_told() -> None:
    assert len(tokens.base62(2**256 - 1, tokens.SECRET_LENGTH)) == 43
    with pytest.raises(OverflowError):
        tokens.base62(62, 1)


def test_the_digest_is_sha_256() -> None:
    assert tokens.digest("abc").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", ""),
        ("portal_ is our prefix", "portal_ is our prefix"),
        (f"use {GOOD}, now", f"use portal_{ID}_***, now"),
        (f"{GOOD}\n{GOOD}", f"portal_{ID}_***\nportal_{ID}_***"),
        (f"cut {GOOD[:-9]}.", f"cut portal_{ID}_***."),
        (f"portal_{ID}…", f"portal_{ID}…"),
    ],
)
def test_keys_in_a_text_are_hidden(text: str, seen: str) -> None:
    assert tokens.hidden(text) == seen
