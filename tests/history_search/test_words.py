"""What can be searched for, and how a search is read."""

from __future__ import annotations

import pytest

from portal.history_search import words

pytestmark = pytest.mark.engine_independent

READ = {
    "museum": ("museum",),
    "Family  TICKET": ("family", "ticket"),
    '"family ticket" price': ("family ticket", "price"),
    "100% _sure_": ("100%", "_sure_"),
    'say "hello': ("say", '"hello'),
    "it's": ("it's",),
    "": (),
    '""': ('""',),
    "twice twice": ("twice",),
    "مرحبا بالعالم": ("مرحبا", "بالعالم"),
    "博物館": ("博物館",),
    "🎟️": ("🎟️",),
    "Cafe\u0301": ("café",),
}


@pytest.mark.parametrize(("typed", "terms"), READ.items(), ids=list(READ))
def test_words_and_phrases(typed: str, terms: tuple[str, ...]) -> None:
    assert words.terms_of(typed) == terms


def test_a_megabyte_is_cut_and_said() -> None:
    typed = "x" * 1_000_000
    assert words.terms_of(typed) == ("x" * 500,)
    assert words.is_cut(typed)
    assert not words.is_cut("what does it cost")


def test_the_index_forgets_what_it_once_learned() -> None:
    """These words must never change, or stored indices could not be told what to forget."""
    assert (
        words.words_of(
            {"message": "Was kostet\tein  FAMILIENTICKET? Cafe\u0301 ẞ İ"},
            {"text": "22 €.\n\nKinder frei. 🎟️"},
            "Too many\nrequests",
            "AB12",
        )
        == "was kostet ein familienticket? café ß i̇\n22 €. kinder frei. 🎟️\ntoo many requests\nab12"
    )


@pytest.mark.parametrize("content", [None, [], "text", {"message": 7}, {"text": None}])
def test_strange_bodies_have_no_words(content: object) -> None:
    assert words.words_of(content, content, "", "") == "\n\n\n"  # type: ignore[arg-type]


def test_long_terms_give_few_trigrams() -> None:
    found = words.trigrams_of("".join(chr(97 + n % 26) + str(n) for n in range(200)))
    assert len(found) <= words.MOST_TRIGRAMS
    assert words.trigrams_of("abcd") == ["abc", "bcd"]
    assert words.trigrams_of("ab") == []
