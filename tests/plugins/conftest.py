"""A server to ask, a database file to read, and plugins as values."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from portal.plugins.calling import ServedPlugin
from portal.plugins.models import Plugin
from tests.answering import AnsweringServer


@pytest.fixture
def server() -> Iterator[AnsweringServer]:
    with AnsweringServer() as found:
        yield found


@pytest.fixture
def cellar(tmp_path: Path) -> Path:
    """An SQLite file with three wines."""
    path = tmp_path / "cellar & more.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE wines (name TEXT, year INTEGER, price REAL, label BLOB)")
        connection.executemany(
            "INSERT INTO wines VALUES (?, ?, ?, ?)",
            [
                ("Riesling 100%", 2021, 12.5, b"abc"),
                ("Gutedel", 2022, 8.0, None),
                ("Spätburgunder", 2020, 19.0, None),
            ],
        )
        connection.commit()
    return path


def plugin(
    kind: Plugin.Kinds, content: dict[str, Any], secret: str = "", **others: Any
) -> ServedPlugin:
    """A plugin as it is used, without a row."""
    values: dict[str, Any] = {
        "id": 1,
        "name": "mine",
        "description": "",
        "selector": Plugin.Selectors.ALWAYS,
        "search_terms": (),
        **others,
    }
    return ServedPlugin(kind=kind, content=content, secret=secret, **values)
