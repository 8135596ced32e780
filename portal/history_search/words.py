"""What of a request can be searched for, and what somebody searches for. Pure.

Everything is compared as it is stored here: composed (Unicode NFC), in small letters, with single
spaces. SQLite's index can forget words only when it is told exactly those that it once learned, so
`words_of` must go on giving the same for the same row; a test holds it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

LONGEST_PART = 20_000
LONGEST_QUERY = 500
MOST_TERMS = 8
TRIGRAM = 3
MOST_TRIGRAMS = 24
_TERM = re.compile(r'"([^"]+)"|(\S+)')


def normal(text: str) -> str:
    """The text as it is compared; without NUL and halves of characters, which no database takes."""
    text = text.replace("\x00", " ").encode("utf-8", "replace").decode()
    return " ".join(unicodedata.normalize("NFC", text).lower().split())


def words_of(
    request: Mapping[str, Any] | None,
    response: Mapping[str, Any] | None,
    error_text: str,
    session_key: str,
) -> str:
    """Question, answer, error and session key, a line each; no term reaches over a line."""
    parts = (
        _text(request, "message"),
        _text(response, "text"),
        error_text,
        session_key,
    )
    return "\n".join(normal(part[:LONGEST_PART]) for part in parts)


def _text(content: Any, name: str) -> str:
    found = content.get(name) if isinstance(content, Mapping) else None
    return found if isinstance(found, str) else ""


def terms_of(query: str) -> tuple[str, ...]:
    """Words, and phrases in double quotes; all of them have to occur. `%` and the like are letters.

    A quote that is never closed is a letter too. What is beyond 500 characters or eight terms is
    left out; the page says so (`is_cut`).
    """
    found = (normal(phrase or word) for phrase, word in _TERM.findall(query[:LONGEST_QUERY]))
    return tuple(dict.fromkeys(term for term in found if term))[:MOST_TERMS]


def is_cut(query: str) -> bool:
    """Whether `terms_of` left something out."""
    return len(query) > LONGEST_QUERY or len(_TERM.findall(query)) > MOST_TERMS


def is_short(term: str) -> bool:
    """Whether a term has too few characters for an index of trigrams."""
    return len(term) < TRIGRAM


def trigrams_of(term: str) -> list[str]:
    """Some of the stretches of three characters of a term, spread over all of it; 24 at most."""
    every = list(dict.fromkeys(term[i : i + TRIGRAM] for i in range(len(term) - TRIGRAM + 1)))
    step = max(1, -(-len(every) // MOST_TRIGRAMS))
    return every[::step]


def longest_run(term: str) -> int:
    """The longest stretch of letters and digits: PostgreSQL's trigrams are made of those."""
    runs = re.findall(r"[^\W_]+", term)
    return max(map(len, runs), default=0)
