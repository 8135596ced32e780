"""Hiding what an account does not want to keep, before a request is written. Pure.

What was hidden is nowhere: not in bodies, previews, words to search, exports. The model was told it
all the same, but is not told again with the session's next question. Every pattern takes time in
proportion to the text, an account's own too: whoever writes one must not stop everybody's prompts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

MOST_OWN = 20
LONGEST_OWN = 80
TOO_DEEP = {"hidden": "nested too deep to be looked through"}

_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_KEY = re.compile(
    r"\b(?:sk|pk|rk|ghp|gho|xox[abp]|glpat|hf|AKIA|AIza)[-_]?[A-Za-z0-9_-]{16,200}"
    r"|(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{16,400}"
)


class Redaction(NamedTuple):
    """What is hidden: kinds (`KINDS`) and an account's own words."""

    kinds: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def _is_card(found: re.Match[str]) -> str:
    """The check digit of ISO/IEC 7812-1 tells a card from an order number."""
    digits = [int(one) for one in found[0] if one.isdigit()]
    total = sum(
        digit if place % 2 == 0 else sum(divmod(2 * digit, 10))
        for place, digit in enumerate(reversed(digits))
    )
    return "[card]" if total % 10 == 0 else found[0]


def _is_iban(found: re.Match[str]) -> str:
    """The check digits of ISO 13616."""
    text = found[0].replace(" ", "")
    moved = "".join(str(int(one, 36)) for one in text[4:] + text[:4])
    return "[IBAN]" if int(moved) % 97 == 1 else found[0]


Replacement = str | Callable[[re.Match[str]], str]
# Kind: words for it, pattern, what stands there instead.
KINDS: dict[str, tuple[str, re.Pattern[str], Replacement]] = {
    "mail": ("Mail addresses", _MAIL, "[mail]"),
    "card": ("Card numbers", _CARD, _is_card),
    "iban": ("Bank account numbers (IBAN)", _IBAN, _is_iban),
    "key": ("Keys and tokens of services", _KEY, "[key]"),
}
HIDDEN = "[hidden]"


def of(stored: Mapping[str, Any] | None) -> Redaction | None:
    """What an account's column holds; None when there is nothing to hide."""
    found = Redaction(
        tuple(kind for kind in (stored or {}).get("kinds", ()) if kind in KINDS),
        tuple((stored or {}).get("own", ())),
    )
    return found if found.kinds or found.own else None


def stored(kinds: Iterable[str], own: Iterable[str]) -> dict[str, list[str]]:
    """For an account's column."""
    return {"kinds": list(kinds), "own": list(own)}


def problem_of(own: str) -> str:
    """Why somebody's own words cannot be taken; empty when they can."""
    if len(own) > LONGEST_OWN:
        return f"“{own[:20]}…” is longer than {LONGEST_OWN} characters."
    if len(own.replace("*", "").strip()) < 3:
        return f"“{own}” is too short: it would hide almost everything."
    return ""


@lru_cache(maxsize=500)
def _rules(redaction: Redaction) -> tuple[tuple[re.Pattern[str], Replacement], ...]:
    rules = [KINDS[kind][1:] for kind in redaction.kinds]
    own = [_pattern(words) for words in redaction.own]
    if own:
        rules.append((re.compile("|".join(own), re.IGNORECASE), HIDDEN))
    return tuple(rules)


def _pattern(own: str) -> str:
    """`#` is a digit, `*` up to 40 characters without a space, a space up to 40 of any kind.

    A star ends where what follows it first fits, and is not tried again: with several stars that
    would take a time that grows with the text to their number's power.
    """
    own, whole, open_groups = " ".join(own.split()), "", 0
    for stars, one in _PART.findall(own):
        if stars:
            whole += ")" * open_groups + rf"(?>\S{{0,{LONGEST_STAR * len(stars)}}}?"
            open_groups = 1
        else:
            whole += _ONE.get(one) or re.escape(one)
    if own.endswith("*"):
        whole = whole.removesuffix("?")
    return whole + ")" * open_groups


_PART = re.compile(r"(\*+)|(.)", re.DOTALL)
_ONE = {"#": r"\d", " ": r"\s{1,40}"}
LONGEST_STAR = 40


def hidden(text: str, redaction: Redaction) -> str:
    """The text without what is to be hidden."""
    for pattern, replacement in _rules(redaction):
        text = pattern.sub(replacement, text)
    return text


def hidden_in(content: Any, redaction: Redaction) -> Any:
    """JSON with every text in it without what is to be hidden, names of fields too."""
    try:
        return _walked(content, redaction)
    except RecursionError:
        return TOO_DEEP


def _walked(content: Any, redaction: Redaction) -> Any:
    if isinstance(content, str):
        return hidden(content, redaction)
    if isinstance(content, dict):
        return {
            hidden(str(name), redaction): _walked(value, redaction)
            for name, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [_walked(value, redaction) for value in content]
    return content
