"""Whether a question calls for a plugin: its search terms, looked for as whole words."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_TERMS = 50
LONGEST_TERM = 60


def mentions(question: str, terms: Iterable[str]) -> bool:
    """Whether one of the terms is in the text as whole words, in small letters or capitals."""
    text = " ".join(question.casefold().split())
    return any(_is_in(text, " ".join(term.casefold().split())) for term in terms)


def _is_in(text: str, term: str) -> bool:
    if not term or term not in text:
        return False
    return re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text) is not None
