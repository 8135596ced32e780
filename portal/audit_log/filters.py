"""What of the log somebody wants to see, read from an address; nonsense becomes a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement

from portal.accounts.models import AuditEvent
from portal.audit_log.words import ACTIONS, THINGS, WAYS
from portal.request_history import ranges
from portal.request_history.time_range import TimeRange

NAMES = ("person", "action", "object", "id", "by")
RANGE_NAMES = ("range", "from", "to")
LARGEST = 2**63 - 1
_WORD = re.compile(r"[A-Za-z][A-Za-z_ ]{0,59}\Z")


@dataclass(frozen=True)
class Filters:
    """`values` as they stand in the address; `span` is None for all of the time."""

    values: Mapping[str, str]
    span: TimeRange | None
    problems: tuple[str, ...] = field(default=())

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def query(self) -> dict[str, str]:
        """What an address says to mean these."""
        return {**self.values, **(self.span.query if self.span else {})}

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a query of AuditEvent."""
        found: list[ColumnElement[bool]] = []
        columns = {"action": AuditEvent.action, "object": AuditEvent.object_type}
        columns["by"] = AuditEvent.by
        numbers = {"person": AuditEvent.user_id, "id": AuditEvent.object_id}
        found += [column == self[name] for name, column in columns.items() if self[name]]
        found += [column == int(self[name]) for name, column in numbers.items() if self[name]]
        if self.span is not None:
            found.append(AuditEvent.created_at >= self.span.start)
            found.append(AuditEvent.created_at < self.span.end)
        return found


def parse(typed: Mapping[str, str], zone: ZoneInfo, now: datetime) -> Filters:
    """Never raises: a filter that makes no sense is left out, and a sentence says so."""
    values: dict[str, str] = {}
    problems: list[str] = []
    for name in NAMES:
        text = typed.get(name, "").strip()
        if not text:
            continue
        if _is_sensible(name, text):
            values[name] = text
        else:
            problems.append(f"There is no {LABELS[name]} “{text[:40]}”; that filter is left out.")
    if "id" in values and "object" not in values:
        del values["id"]
        problems.append("A number needs the kind of thing that it numbers; it is left out.")
    span = None
    if any(typed.get(name, "").strip() for name in RANGE_NAMES):
        span = ranges.parse(typed, zone, now)
        problems += [sentence for sentence in (span.problem, span.note) if sentence]
    return Filters(values, span, tuple(problems))


LABELS = {"person": "person", "action": "action", "object": "kind of thing", "id": "number"}
LABELS["by"] = "way"


def _is_sensible(name: str, text: str) -> bool:
    if name in ("person", "id"):
        return text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST
    known: dict[str, Any] = {"action": ACTIONS, "object": THINGS, "by": WAYS}[name]
    return text in known or (name == "action" and _WORD.match(text) is not None)
