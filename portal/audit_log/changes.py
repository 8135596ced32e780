"""What an event changed: only the fields that differ, before and after. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_VALUE = 2_000
MOST_FIELDS = 60


@dataclass(frozen=True)
class Change:
    """One field; None where it was not there before, or is not after."""

    label: str
    before: str | None
    after: str | None


def changes_of(before: Any, after: Any) -> list[Change]:
    """The fields that differ, by name as they were told; parts of objects by `name.part`."""
    old, new = _flat(before), _flat(after)
    found = []
    for name in (*old, *(name for name in new if name not in old)):
        was, is_now = old.get(name), new.get(name)
        if was != is_now or (name in old) != (name in new):
            found.append(Change(_label(name), _text(name, old), _text(name, new)))
    return found[:MOST_FIELDS]


def _flat(values: Any, above: str = "") -> dict[str, Any]:
    if not isinstance(values, Mapping):
        return {} if values is None else {above or "value": values}
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{above}.{name}" if above else str(name)
        is_inner = isinstance(value, Mapping) and value and path.count(".") < 3
        found.update(_flat(value, path) if is_inner else {path: value})
    return found


def _label(name: str) -> str:
    return name.replace("_", " ").replace(".", " › ")[:120].capitalize()


def _text(name: str, values: Mapping[str, Any]) -> str | None:
    if name not in values:
        return None
    return shown(values[name])


def shown(value: Any) -> str:
    """A value as people read it; long ones are cut."""
    if value is None or value in ("", [], {}):
        return "Empty"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        text = ", ".join(value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
