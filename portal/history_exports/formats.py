"""Rows as lines of a file: CSV for spreadsheets, JSON Lines for programs. Pure.

CSV is that of RFC 4180, in UTF-8 with a byte order mark, without which Excel takes it for another
encoding. JSON Lines has none: a program would stumble over it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from portal.formatting import exact_decimal

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# How a cell begins that a spreadsheet would compute; with the wide forms of East Asia.
BEGINS_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001
TEXTS = (
    ("llm_client", "llm_client_name"),
    ("llm_client_id", "client_hashed_id"),
    ("host", "hostname"),
    ("mode", "mode"),
    ("session_key", "session_key"),
    ("reference", "request_id"),
    ("provider", "provider"),
    ("model", "model"),
    ("error_code", "error_code"),
    ("error_text", "error_text"),
    ("price_version", "price_version"),
)
NUMBERS = (
    ("revision", "revision_number"),
    ("status", "status"),
    ("latency_ms", "latency_ms"),
    ("first_token_ms", "first_token_ms"),
    ("tokens_in", "tokens_in"),
    ("tokens_out", "tokens_out"),
)
ORDER = (
    "id",
    "created_at",
    "llm_client",
    "llm_client_id",
    "revision",
    "host",
    "mode",
    "session_key",
    "reference",
    "api_key_id",
    "provider",
    "model",
    "status",
    "error_code",
    "error_text",
    "latency_ms",
    "first_token_ms",
    "tokens_in",
    "tokens_out",
    "cost",
    "price_version",
)
CSV_COLUMNS = (*ORDER, "question", "answer")
JSON_KEYS = (*ORDER, "request", "response")


def _values(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(row, column) for name, column in (*TEXTS, *NUMBERS)}
    found["id"] = str(row.id)
    found["created_at"] = _time(row.created_at)
    found["api_key_id"] = None if row.api_key_id is None else str(row.api_key_id)
    found["cost"] = None if row.cost_micros is None else exact_decimal(row.cost_micros)
    return {name: found[name] for name in ORDER}


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def csv_head() -> bytes:
    """The mark and the line of names."""
    return BYTE_ORDER_MARK + _line(CSV_COLUMNS)


def csv_line(row: Any) -> bytes:
    """One request; what was asked and answered as the last two cells."""
    values = _values(row)
    values["question"] = _said(content_of(row.request), "message")
    values["answer"] = _said(content_of(row.response), "text")
    text = {name for name, _ in TEXTS} | {"question", "answer"}
    return _line([safe(value) if name in text else value for name, value in values.items()])


def _said(content: Any, name: str) -> str:
    """A broken body as it is: better a strange cell than a lost one."""
    if isinstance(content, str):
        return content
    found = content.get(name) if isinstance(content, Mapping) else None
    return found if isinstance(found, str) else ""


def safe(text: str | None) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula (CWE-1236).

    White space before it is looked past, as spreadsheets do.
    """
    cleaned = (text or "").replace("\x00", "")
    if cleaned.startswith(BEGINS_FORMULA) or cleaned.lstrip().startswith(BEGINS_FORMULA):
        return f"'{cleaned}"
    return cleaned


def _line(cells: Any) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().encode(errors="replace")


def json_line(row: Any) -> bytes:
    """One request as an object with both bodies; numbers that name something are texts."""
    values = _values(row)
    values["request"], values["response"] = content_of(row.request), content_of(row.response)
    try:
        return f"{json.dumps(values, ensure_ascii=False)}\n".encode()
    except UnicodeEncodeError:  # half of a pair of surrogates, which JSON can hold and UTF-8 not
        return f"{json.dumps(values)}\n".encode()
    except RecursionError:  # nested too deep: as text
        values["request"], values["response"] = row.request, row.response
        return f"{json.dumps(values)}\n".encode()


def content_of(text: str | None) -> Any:
    """The JSON of a body; a text that is none as it is, None for none."""
    if text is None:
        return None
    try:
        # NaN and Infinity are no JSON, though databases may hold them.
        return json.loads(text, parse_constant=str)
    except (ValueError, RecursionError):
        return text


# By format: what the file begins with, and a row of it.
WRITERS: dict[str, tuple[Callable[[], bytes], Callable[[Any], bytes]]] = {
    "csv": (csv_head, csv_line),
    "jsonl": (bytes, json_line),
}
