"""YAML in and out: only plain values, each with its line, and nothing that grows or runs."""

from __future__ import annotations

import pytest

from portal.manifests.reading import NotReadable, documents_of
from portal.manifests.writing import text_of

pytestmark = pytest.mark.engine_independent

VALUES = ["1e5", "0777", ".5", "yes", "~", "null", "1.0.0", "12:30", "2024-01-01", "a: b", "#c"]
VALUES += ["line\nline", "trail \nx", "\n", "  lead", "ü €", "a\tb", "'", "=", "*a", "!x", "on"]
VALUES += ["a\r\nb", "\x85x", "\u2028", "", "\U0001f600", "-", "?", "word " * 60]


@pytest.mark.parametrize(
    "value", [*VALUES, None, True, 3, 0.5, 1e-7, [], {}, ["a", {"b": 1}]], ids=ascii
)
def test_what_is_written_is_read_as_the_same(value: object) -> None:
    [found] = documents_of(text_of([{"key": value}]))
    assert found.values == {"key": value}
    assert type(found.values["key"]) is type(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x [1]\nb: *x", "Line 2: Aliases"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", "Line 2: Tags"),
        ("a: 1\nb: 2\na: 3", "Line 3: a stands twice here, first on line 1."),
        ("a: " + "[" * 100, "Nested deeper than 20 levels"),
        ("a:\n  b: [1", "not YAML"),
        ("? [a]\n: b", "A key must be a plain word"),
        ("a: x\x00", "cannot be stored"),
        ("a: " + "x" * 260_000, "At most 256 kB and 6 MB of images"),
        ("---\na: 1\n" * 600, "At most 500 documents"),
    ],
    ids=["alias", "tag", "twice", "deep", "broken", "odd key", "nul", "large", "many"],
)
def test_what_is_refused_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(NotReadable) as refused:
        documents_of(text)
    assert words in refused.value.public_message


def test_plain_words_are_those_of_yaml_1_2() -> None:
    [found] = documents_of("a: yes\nb: true\nc: 012\nd: 1.50\ne: ~\nf: '1'")
    assert found.values == {"a": "yes", "b": True, "c": 12, "d": 1.5, "e": None, "f": "1"}
    assert found.line_of("d") == 4
    assert found.line_of("d", "inside") == 4


def test_what_is_beyond_sixteen_bits_is_written_as_it_is() -> None:
    assert text_of([{"key": "Welcome 😀", "other": "1.0"}]) == (
        "---\nkey: Welcome 😀\nother: '1.0'\n"
    )
