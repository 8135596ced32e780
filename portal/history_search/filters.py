"""What a list of requests is narrowed to, out of an address. Pure.

Nothing in an address is a fault: what makes no sense is left out, with a sentence for the page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from portal.history_search import words
from portal.request_history import ranges
from portal.request_history.ranges import TimeRange

LONGEST = 200
OUTCOMES = ("answered", "refused", "cancelled", "failed")
UNANSWERED = "unanswered"
MODES = ("default", "custom", "sandbox")
RANGE_NAMES = ("range", "from", "to")
CURSOR_NAMES = ("before", "after")
LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True)
class Filters:
    """The filters of a list: `values` are those that count, by their name in the address."""

    span: TimeRange
    values: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the time is chosen."""
        return bool(self.values)

    @property
    def terms(self) -> tuple[str, ...]:
        """What is searched for in the words."""
        return words.terms_of(self["q"])

    def query(self, **changes: str | None) -> dict[str, str]:
        """For an address with other values; None or "" leaves one out. Cursors begin anew."""
        merged = {**self.span.query, **self.values, **changes}
        if {"range", "from", "to"} & changes.keys():
            for name in set(RANGE_NAMES) - changes.keys():
                merged.pop(name, None)
        return {name: value for name, value in merged.items() if value}

    def without(self, name: str) -> dict[str, str]:
        """For an address without one of them."""
        return self.query(**{name: None})


def parse(values: Mapping[str, str], zone: ZoneInfo, now: datetime) -> Filters:
    """The filters that an address means; never raises."""
    span = ranges.parse({name: values.get(name, "") for name in RANGE_NAMES}, zone, now)
    known: dict[str, str] = {}
    problems = [span.problem] if span.problem else []
    for name, (label, read) in READERS.items():
        typed = values.get(name, "").strip()
        if not typed:
            continue
        found = read(typed)
        if found is None:
            problems.append(f"{label} cannot be “{typed[:40]}”, so it is left out.")
        else:
            known[name] = found
    if words.is_cut(values.get("q", "")):
        problems.append(
            f"A search takes {words.MOST_TERMS} words and {words.LONGEST_QUERY} characters;"
            " the rest is left out."
        )
    return Filters(span, known, tuple(problems))


def _text(typed: str) -> str | None:
    return typed if len(typed) <= LONGEST and typed.isprintable() else None


def _search(typed: str) -> str | None:
    return typed[: words.LONGEST_QUERY]


def _one_of(*choices: str) -> Callable[[str], str | None]:
    return lambda typed: typed if typed in choices else None


def _status(typed: str) -> str | None:
    if typed in (*OUTCOMES, UNANSWERED):
        return typed
    return typed if whole_number(typed) is not None and len(typed) == 3 else None


def _integer(typed: str) -> str | None:
    return None if whole_number(typed) is None else str(whole_number(typed))


def whole_number(typed: str) -> int | None:
    """Plain digits up to what an INTEGER column holds."""
    if not (typed.isascii() and typed.isdigit() and len(typed) < 11):
        return None
    return int(typed) if int(typed) <= LARGEST_INTEGER else None


def _amount(typed: str) -> str | None:
    return None if millionths(typed) is None else typed


def millionths(typed: str) -> int | None:
    """A positive decimal number in millionths: `2.5` is 2,500,000."""
    try:
        amount = Decimal(typed.replace(",", ".")) if len(typed) < 20 else None
    except InvalidOperation:
        return None
    if amount is None or not amount.is_finite() or not 0 <= amount < 1_000_000_000:
        return None
    return int(amount * 1_000_000)


# Name in the address: words for it, and what of a typed text counts (None: nothing).
READERS: dict[str, tuple[str, Callable[[str], str | None]]] = {
    "q": ("The search", _search),
    "client": ("The LLM client", _text),
    "status": ("The status", _status),
    "session_key": ("The session", _text),
    "mode": ("The mode", _one_of(*MODES)),
    "host": ("The host", _text),
    "provider": ("The provider", _text),
    "model": ("The model", _text),
    "revision": ("The revision", _integer),
    "key": ("The API key", _integer),
    "cause": ("The cause", _text),
    "error": ("The error", _text),
    "tag": ("The tag", _text),
    "slower": ("The shortest time (in seconds)", _amount),
    "faster": ("The longest time (in seconds)", _amount),
    "cost": ("The smallest cost", _amount),
    "tokens": ("The smallest number of tokens", _integer),
}
