"""Lines of files: no cell computes, no line breaks, nothing broken stops them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from portal.history_exports import formats

pytestmark = pytest.mark.engine_independent


def a_row(**columns: Any) -> Any:
    names = {column for _, column in (*formats.TEXTS, *formats.NUMBERS)}
    row = dict.fromkeys(names)
    row |= {"id": 2**62 + 1, "created_at": datetime(2026, 11, 20, 12, 30, tzinfo=UTC)}
    row |= {"api_key_id": 2**53 + 1, "cost_micros": 4_200, "status": 200}
    row |= {"request": '{"message": "Where?"}', "response": '{"text": "There."}'}
    return SimpleNamespace(**{**row, **columns})


def cells(**columns: Any) -> dict[str, str]:
    text = (formats.csv_head() + formats.csv_line(a_row(**columns))).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize(
    "evil",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\n=1",
        "  =HYPERLINK(1)",
        "＝1+1",
        "\u00a0=1",
        "\x00=1",
    ],
)
def test_no_cell_is_a_formula(evil: str) -> None:
    found = cells(
        llm_client_name=evil,
        error_text=evil,
        hostname=evil,
        session_key=evil,
        model=evil,
        request=json.dumps({"message": evil}),
        response=json.dumps({"text": evil}),
    )
    for name in ("llm_client", "error_text", "host", "session_key", "model", "question", "answer"):
        assert found[name] == f"'{evil}".replace("\x00", "")


def test_ordinary_texts_and_numbers_stay_as_they_are() -> None:
    found = cells(request='{"message": "1-1 = 0, \\"so\\"\\r\\nnext; line"}')
    assert found["question"] == '1-1 = 0, "so"\r\nnext; line'
    assert (found["cost"], found["status"], found["id"]) == ("0.0042", "200", str(2**62 + 1))
    assert found["created_at"] == "2026-11-20T12:30:00.000Z"


def test_a_csv_begins_with_a_mark_and_ends_lines_as_rfc_4180_wants() -> None:
    head, line = formats.csv_head(), formats.csv_line(a_row())
    assert head.startswith(b"\xef\xbb\xbfid,created_at,")
    assert head.endswith(b"\r\n")
    assert line.endswith(b",Where?,There.\r\n")


def test_names_of_things_are_texts_in_json() -> None:
    found = json.loads(formats.json_line(a_row()))
    assert (found["id"], found["api_key_id"]) == (str(2**62 + 1), str(2**53 + 1))
    assert found["request"] == {"message": "Where?"}
    assert tuple(found) == formats.JSON_KEYS


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{broken", "{broken"),
        ("NaN", "NaN"),
        ("[1, Infinity]", [1, "Infinity"]),
        ("null", None),
        (None, None),
        ('"\\ud800"', "\ud800"),
        ('{"a": "\u2028\\n"}', {"a": "\u2028\n"}),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_any_body_is_one_line_of_json(body: str | None, expected: Any) -> None:
    line = formats.json_line(a_row(response=body))
    assert line.count(b"\n") == 1
    assert json.loads(line)["response"] == expected
    assert formats.csv_line(a_row(response=body)).endswith(b"\r\n")
