"""Why requests were not answered, in words."""

from __future__ import annotations

WORDS = {
    "timeout": "The provider took too long",
    "rate_limited": "The provider was busy",
    "unavailable": "The provider had a problem",
    "refused": "Access was refused",
    "bad_request": "The provider could not process the question",
    "malformed": "The provider’s answer could not be read",
    "cut": "The answer broke off",
    "cut_off": "The model reached its limit without a word",
    "filtered": "A filter held the answer back",
    "wordless": "The model said nothing",
    "too_large": "The answer was too large",
    "unreachable": "The provider could not be reached",
    "budget_reached": "A budget was used up",
    "rate_limit": "Asked too often",
    "too_many_at_once": "Too many at the same time",
    "not_recorded": "The question could not be stored",
    "visitor_left": "The visitor left",
    "fault": "A fault of the portal",
}


def in_words(code: str) -> str:
    """A code that nobody has words for stays as it is."""
    return WORDS.get(code, code)
