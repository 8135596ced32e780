"""Where what was found differs from what was expected. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from os.path import commonprefix

# What a person copies or compares: names, addresses, values of records.
_TECHNICAL = re.compile(
    r"(?:_?[\w*-]+(?:\.[\w-]+)+|_[a-z][\w-]*|llm-verify=[^\s,;.]+|\b[0-9a-f:]+::[0-9a-f:]*)"
)
ALIKE = 0.5  # below that two texts are simply different, and all of it is marked
OPEN_BOX = "␣"  # what nobody sees at an end of a value is drawn


@dataclass(frozen=True)
class Part:
    """A piece of a text, marked where it differs."""

    text: str
    is_different: bool = False


def difference(expected: str, found: str) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Both texts in pieces, with the least part marked that makes them differ."""
    if expected == found:
        return _whole(expected, False), _whole(found, False)
    if expected and expected in found:
        return _whole(expected, False), _around(found, expected)
    if SequenceMatcher(None, expected, found, autojunk=False).ratio() < ALIKE:
        return _whole(expected, False), _whole(found, True)
    start = len(commonprefix([expected, found]))
    end = len(commonprefix([expected[start:][::-1], found[start:][::-1]]))
    odd = found[start : len(found) - end]
    missing = expected[start : len(expected) - end]
    if odd:
        return _whole(expected, False), _pieces(found, start, end)
    return (_pieces(expected, start, end) if missing else _whole(expected, False)), _whole(
        found, False
    )


def with_names(sentence: str) -> tuple[Part, ...]:
    """A sentence in pieces: those that are names or values of the DNS are the different ones."""
    pieces, at = [], 0
    for match in _TECHNICAL.finditer(sentence):
        pieces += [Part(sentence[at : match.start()]), Part(match.group(), True)]
        at = match.end()
    return tuple(piece for piece in (*pieces, Part(sentence[at:])) if piece.text)


def _around(found: str, expected: str) -> tuple[Part, ...]:
    """What stands before and after the right text is what is wrong, such as quotes and spaces."""
    before, _, after = found.partition(expected)
    pieces = (Part(_seen(before), True), Part(expected), Part(_seen(after), True))
    return tuple(piece for piece in pieces if piece.text)


def _whole(text: str, is_different: bool) -> tuple[Part, ...]:
    return (Part(_seen(text), is_different),) if text else ()


def _pieces(text: str, start: int, end: int) -> tuple[Part, ...]:
    stop = len(text) - end
    pieces = (Part(text[:start]), Part(_seen(text[start:stop]), True), Part(text[stop:]))
    return tuple(piece for piece in pieces if piece.text)


def _seen(text: str) -> str:
    """Spaces at the ends are drawn, since they are what nobody sees."""
    inner = text.strip()
    if not inner:
        return OPEN_BOX * len(text)
    before, after = text.partition(inner)[0], text.rpartition(inner)[2]
    return OPEN_BOX * len(before) + inner + OPEN_BOX * len(after)
