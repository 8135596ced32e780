"""The filters that count, each in words, with the address without it."""

from __future__ import annotations

from dataclasses import dataclass

from portal.history_pages.address import Address
from portal.history_pages.choices import Offered
from portal.history_search.filters import OUTCOMES, UNANSWERED

STATUSES = {
    "answered": "Answered",
    "refused": "Refused",
    "cancelled": "Visitor left",
    "failed": "Failed",
    UNANSWERED: "Everything unanswered",
}
assert set(OUTCOMES) <= STATUSES.keys()  # noqa: S101
LABELS = {
    "q": "Words",
    "client": "LLM client",
    "status": "Status",
    "session_key": "Session",
    "mode": "Mode",
    "host": "Host",
    "provider": "Provider",
    "model": "Model",
    "revision": "Revision",
    "key": "API key",
    "cause": "Cause",
    "error": "Error text",
    "tag": "Tag",
    "slower": "Took at least",
    "faster": "Took at most",
    "cost": "Cost at least",
    "tokens": "Tokens at least",
}
LONGEST = 40


@dataclass(frozen=True)
class Chip:
    """One filter in words."""

    label: str
    text: str
    without: dict[str, str]


def of(address: Address, found: Offered) -> list[Chip]:
    """A chip for each filter that counts."""
    return [
        Chip(LABELS[name], _text(name, value, found), address.query(**{name: None}))
        for name, value in address.filters.values.items()
    ]


def _text(name: str, value: str, found: Offered) -> str:
    if name == "client" and found.client:
        return found.client.name
    if name == "status":
        return STATUSES.get(value, value)
    if name in ("slower", "faster"):
        return f"{value} s"
    if name == "session_key":
        return f"{value[:8]}…"
    if name == "key":
        names = {str(part.series.api_key_id): part.key_name for part in found.parts}
        return names.get(value) or value
    return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
