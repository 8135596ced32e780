"""What happened on the way to an answer, as the history keeps it: calls of tools, failed tries.

A provider's own JSON lies beside it in the same column, so nothing is taken for granted. Pure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ToolCall:
    """One call: what the model wrote, what it got. `milliseconds` is None where nobody knows."""

    name: str
    source: str
    is_error: bool
    milliseconds: int | None
    arguments: str
    result: str


@dataclass(frozen=True)
class Attempt:
    """A try that gave no answer, and why."""

    provider: str
    model: str
    detail: str
    milliseconds: int | None


def tool_calls(response: Any) -> list[ToolCall]:
    """In the order in which they were made."""
    return [
        ToolCall(
            name=_text(entry, "name"),
            source=_text(entry, "source"),
            is_error=entry.get("is_error") is True,
            milliseconds=_number(entry, "milliseconds"),
            arguments=_readable(_text(entry, "arguments")),
            result=_text(entry, "result"),
        )
        for entry in _entries(response, "tools_called")
    ]


def attempts(response: Any) -> list[Attempt]:
    """Those before the answer, or before there was none to come."""
    return [
        Attempt(
            provider=_text(entry, "provider"),
            model=_text(entry, "model"),
            detail=_text(entry, "detail") or _text(entry, "reason"),
            milliseconds=_number(entry, "milliseconds"),
        )
        for entry in _entries(response, "attempts")
    ]


def _entries(response: Any, name: str) -> list[dict[str, Any]]:
    found = response.get(name) if isinstance(response, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _number(entry: dict[str, Any], name: str) -> int | None:
    value = entry.get(name)
    return value if isinstance(value, int) else None


def _readable(arguments: str) -> str:
    """JSON with line breaks; anything else as it is."""
    try:
        return json.dumps(json.loads(arguments), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return arguments
