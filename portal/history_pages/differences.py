"""Two requests beside each other: parameters, messages and answers, line by line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from portal.history_pages.one_request import Whole
from portal.request_history import stored

MOST_LINES = 1_000
LONGEST_LINE = 1_000
CONTEXT = 3
NOT_PARAMETERS = ("message", "messages", "sent", "typed")
KINDS = {"+": "added", "-": "removed", "@": "place"}


@dataclass(frozen=True)
class Line:
    """A line of a comparison: `added`, `removed`, `same` or `place` (where it is)."""

    kind: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """One part of both requests; without lines they are the same."""

    title: str
    lines: tuple[Line, ...]
    is_cut: bool


def between(old: Whole, new: Whole) -> list[Comparison]:
    """What the newer request has that the older had not, and the other way round."""
    return [
        _compared("Parameters", _parameters(old), _parameters(new)),
        _compared("Messages", _messages(old), _messages(new)),
        _compared("Answer", _answer(old), _answer(new)),
    ]


def _compared(title: str, old: Sequence[str], new: Sequence[str]) -> Comparison:
    pieces = [[line[:LONGEST_LINE] for line in lines[:MOST_LINES]] for lines in (old, new)]
    is_cut = any(
        len(lines) > MOST_LINES or any(len(line) > LONGEST_LINE for line in lines)
        for lines in (old, new)
    )
    found = list(unified_diff(*pieces, n=CONTEXT, lineterm=""))[2:]
    return Comparison(title, tuple(_line(text) for text in found), is_cut)


def _line(text: str) -> Line:
    kind = KINDS.get(text[:1], "same")
    return Line(kind, "" if kind == "place" else text[1:])


def _parameters(whole: Whole) -> list[str]:
    row = whole.row
    facts: dict[str, Any] = {
        "model": row.model,
        "provider": row.provider,
        "revision": row.revision_number,
        "host": row.hostname,
        "mode": row.mode,
    }
    request = dict(whole.request.mapping) if whole.request else {}
    sent = request.get("sent")
    more = {**request, **(sent if isinstance(sent, dict) else {})}
    facts |= {name: value for name, value in more.items() if name not in NOT_PARAMETERS}
    return [f"{name}: {stored.words(value)}" for name, value in sorted(facts.items())]


def _messages(whole: Whole) -> list[str]:
    sent = list(stored.messages(whole.request))
    if not sent:
        sent = [("user", stored.question(whole.request) or whole.row.question_preview)]
    lines: list[str] = []
    for role, content in sent:
        lines += [f"[{role}]", *content.splitlines()]
    return lines


def _answer(whole: Whole) -> list[str]:
    text = stored.answer(whole.response) or whole.row.answer_preview
    return [*text.splitlines(), *whole.row.error_text.splitlines()]
