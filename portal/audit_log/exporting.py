"""Events as lines of a file: CSV for spreadsheets, JSON Lines for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC
from typing import Any

from portal.accounts.models import AuditEvent
from portal.audit_log.listing import Row
from portal.history_exports.formats import BYTE_ORDER_MARK, safe

COLUMNS = ("time", "person", "from_address", "by", "action", "object_type", "object_id")
COLUMNS += ("object_name", "before", "after", "number", "place_in_chain", "seal")
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson; charset=utf-8"}


def _values(event: AuditEvent, username: str | None) -> dict[str, Any]:
    is_sealed = bool(event.sequence)
    moment = event.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
    values = (
        moment.replace("+00:00", "Z"),
        username,
        event.address,
        event.by,
        event.action,
        event.object_type,
        str(event.object_id) if event.object_id is not None else None,
        event.object_name,
        event.before,
        event.after,
        str(event.id),
        event.sequence if is_sealed else None,
        event.seal if is_sealed else None,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _csv(rows: Iterable[Row]) -> Iterator[bytes]:
    yield BYTE_ORDER_MARK + _line(COLUMNS)
    for row in rows:
        yield _line([safe(_cell(value)) for value in _values(*row).values()])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode(errors="replace")


def _json_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    for row in rows:
        yield f"{json.dumps(_values(*row))}\n".encode()


WRITERS: dict[str, Callable[[Iterable[Row]], Iterator[bytes]]] = {
    "csv": _csv,
    "jsonl": _json_lines,
}
