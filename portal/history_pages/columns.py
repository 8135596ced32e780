"""The columns of the list of requests: time and question always, the others as chosen. Pure."""

from __future__ import annotations

from collections.abc import Iterable

LABELS = {
    "client": "LLM client",
    "status": "Status",
    "took": "Took",
    "first": "First token",
    "tokens": "Tokens",
    "cost": "Cost",
    "mode": "Mode",
    "host": "Host",
    "provider": "Provider",
    "model": "Model",
    "revision": "Revision",
    "cause": "Cause",
    "session": "Session",
}
NUMBERS = {"took", "first", "tokens", "cost", "revision"}
ALWAYS_SEEN = {"status", "took"}  # also where the list is narrow
DEFAULT = ("client", "status", "took", "tokens", "cost")
NONE = "none"


def chosen(typed: Iterable[str]) -> tuple[str, ...]:
    """Those that an address names, in the order of the table; unknown ones are left out."""
    names = {name for part in typed for name in part[:200].split(",")}
    found = tuple(name for name in LABELS if name in names)
    return found if found or NONE in names else DEFAULT


def in_address(columns: tuple[str, ...]) -> str:
    """For an address; nothing for the usual ones."""
    return "" if columns == DEFAULT else ",".join(columns) or NONE
