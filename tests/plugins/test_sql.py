"""The kind sql against real databases: bound values, reading only, and ends in time and size."""

from __future__ import annotations

import json
import os
import socketserver
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from portal.plugins import sql
from portal.plugins.parameters import PluginError

NEVER_ENDS = (
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"
)


def asked(url: str, statement: str, seconds: float = 3, **values: Any) -> str:
    kinds = {int: "number", bool: "boolean"}
    parameters = [
        {"name": name, "type": kinds.get(type(value), "string")} for name, value in values.items()
    ]
    content = {"url": url, "statement": statement, "parameters": parameters}
    return sql.call(content, "", values, allow_private=True, seconds=seconds)


def file_url(path: Path) -> str:
    return f"sqlite:///{quote(str(path))}"


class TestSQLite:
    pytestmark = pytest.mark.engine_independent

    def test_rows_are_lines_of_json(self, cellar: Path) -> None:
        told = asked(file_url(cellar), "SELECT * FROM wines WHERE year < :year", year=2022)
        rows = [json.loads(line) for line in told.splitlines()]
        assert rows == [
            {"name": "Riesling 100%", "year": 2021, "price": 12.5, "label": "(3 bytes)"},
            {"name": "Spätburgunder", "year": 2020, "price": 19.0, "label": None},
        ]

    def test_a_value_is_never_part_of_the_statement(self, cellar: Path) -> None:
        statement = "SELECT name FROM wines WHERE name = :name"
        assert asked(file_url(cellar), statement, name="' OR 1=1 --") == "No rows."
        assert "Gutedel" in asked(file_url(cellar), statement, name="Gutedel")

    @pytest.mark.parametrize(
        ("statement", "sentence"),
        [
            ("DELETE FROM wines", "begin with SELECT"),
            ("SELECT 1; DELETE FROM wines", "more than one statement"),
            ("WITH t AS (SELECT 1) DELETE FROM wines", "more than read"),
            ("WITH t AS (SELECT 1) INSERT INTO wines SELECT 1, 2, 3, 4", "more than read"),
            ("SELECT load_extension('x')", "more than read"),
            ("SELECT * FROM absent", "no such table"),
            ("SELECT zeroblob(1000000000)", "refused the statement"),
            ("SELECT replace(hex(zeroblob(90000)), '0', '123456')", "too big"),
            ("SELECT hex(zeroblob(20000))", "longer than 32 KB"),
        ],
    )
    def test_a_bad_statement_is_a_sentence(
        self, statement: str, sentence: str, cellar: Path
    ) -> None:
        before = cellar.read_bytes()
        with pytest.raises(PluginError, match=sentence):
            asked(file_url(cellar), statement)
        assert cellar.read_bytes() == before

    @pytest.mark.parametrize(
        "statement",
        [
            NEVER_ENDS,
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) "
            "SELECT a.n FROM t a, t b ORDER BY random()",
        ],
    )
    def test_what_does_not_end_is_stopped(self, statement: str, cellar: Path) -> None:
        started = time.monotonic()
        with pytest.raises(PluginError, match="in time"):
            asked(file_url(cellar), statement, seconds=0.3)
        assert time.monotonic() - started < 2

    def test_only_fifty_rows_and_32_kb_are_told(self, cellar: Path) -> None:
        many = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t"
        lines = asked(file_url(cellar), many).splitlines()
        assert len(lines) == 51
        assert lines[-1] == "[More rows are left out.]"
        wide = many.replace("SELECT n FROM t", "SELECT n, hex(zeroblob(2000)) x FROM t")
        told = asked(file_url(cellar), wide)
        assert len(told) < 33_000
        assert told.endswith("[More rows are left out.]")

    @pytest.mark.parametrize("allow_private", [True, False])
    def test_a_file_is_read_on_ones_own_machine_only(
        self, allow_private: bool, cellar: Path
    ) -> None:
        content = {"url": file_url(cellar), "statement": "SELECT 1 AS one"}
        if allow_private:
            assert sql.call(content, "", {}, allow_private=True) == '{"one": 1}'
            return
        with pytest.raises(PluginError, match="your own machine only"):
            sql.call(content, "", {}, allow_private=False)

    def test_a_file_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        path = tmp_path / "absent.sqlite3"
        for name in (path, Path(f"{path}?mode=rwc")):
            with pytest.raises(PluginError, match="no such database file"):
                asked(file_url(name), "SELECT 1")
        assert not list(tmp_path.iterdir())

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(PluginError, match="no such database file"):
            asked(file_url(tmp_path / "pipe"), "SELECT 1")

    def test_a_value_cannot_be_a_pattern_that_takes_for_ever(self, cellar: Path) -> None:
        statement = "SELECT name FROM wines WHERE name LIKE :pattern"
        with pytest.raises(PluginError, match="pattern too complex"):
            asked(file_url(cellar), statement, pattern="%e" * 60)


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://u@h/d", "begin with postgresql://"),
        ("postgresql://u:secret@example.com/d", "Leave the password out"),
        ("postgresql:///d", "names no host"),
        ("postgresql://example.com/d", "name a user and a database"),
        ("postgresql://u@example.com", "name a user and a database"),
        ("postgresql://u@example.com:99999/d", "not a connection URL"),
        ("postgresql://u@example.com/d?hostaddr=10.0.0.1", "only sslmode"),
        ("postgresql://u@example.com/d?host=/tmp", "only sslmode"),
        ("postgresql://u@example.com/d?sslmode=disable", "sslmode must be one of"),
        ("postgresql://u@example.com/d?service=x", "only sslmode"),
        ("postgresql://u@exa mple.com/d", "begin with"),
        ("postgresql://u@127.0.0.1/d", "not on the public internet"),
        ("postgresql://u@localhost/d", "not on the public internet"),
        ("postgresql://u@[::1]/d", "not on the public internet"),
        ("postgresql://u@169.254.169.254/d", "not on the public internet"),
        ("postgresql://u@2130706433/d", "not on the public internet"),
    ],
)
def test_addresses_are_checked_before_anybody_is_asked(url: str, sentence: str) -> None:
    with pytest.raises(PluginError, match=sentence):
        sql.call({"url": url, "statement": "SELECT 1"}, "", {}, allow_private=False)


@pytest.mark.engine_independent
def test_nobody_at_the_address_is_a_sentence() -> None:
    with pytest.raises(PluginError, match="cannot be reached"):
        asked("postgresql://u@127.0.0.1:9/d", "SELECT 1")


class SilentDatabase(socketserver.ThreadingTCPServer):
    """Speaks PostgreSQL so far that a client is connected, and then no more."""

    daemon_threads = True

    class _Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while True:
                length, code = struct.unpack("!II", self.rfile.read(8))
                self.rfile.read(length - 8)
                if code != 80877103:  # the request for TLS
                    break
                self.wfile.write(b"N")
            self.wfile.write(b"R\x00\x00\x00\x08\x00\x00\x00\x00" + b"Z\x00\x00\x00\x05I")
            self.wfile.flush()
            while self.rfile.read(1):
                pass

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self._Handler)


@pytest.mark.engine_independent
def test_a_database_that_keeps_no_time_is_left() -> None:
    with SilentDatabase() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        started = time.monotonic()
        with pytest.raises(PluginError, match="in time"):
            asked(f"postgresql://u@127.0.0.1:{server.server_address[1]}/d", "SELECT 1", 0.2)
        assert time.monotonic() - started < 3
        server.shutdown()


class TestPostgreSQL:
    @pytest.fixture
    def url(self, postgres_url: str) -> Iterator[str]:
        parts = urlsplit(postgres_url.replace("+psycopg", ""))
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE plugin_wines (name text, year integer, since date)")
            connection.execute(
                "INSERT INTO plugin_wines VALUES ('Riesling 100%', 2021, '2022-03-01')"
            )
        yield parts.geturl()
        with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
            connection.execute("DROP TABLE plugin_wines")

    def test_rows_are_lines_of_json(self, url: str) -> None:
        told = asked(url, "SELECT * FROM plugin_wines WHERE year < :year -- all", year=2022)
        assert json.loads(told) == {"name": "Riesling 100%", "year": 2021, "since": "2022-03-01"}

    def test_a_value_is_never_part_of_the_statement(self, url: str) -> None:
        statement = "SELECT name FROM plugin_wines WHERE name = :name"
        assert asked(url, statement, name="' OR 1=1 --") == "No rows."
        assert "Riesling" in asked(url, statement, name="Riesling 100%")
        assert "Riesling" in asked(url, "SELECT name FROM plugin_wines WHERE name LIKE '%100%'")

    @pytest.mark.parametrize(
        ("statement", "sentence"),
        [
            ("WITH d AS (DELETE FROM plugin_wines RETURNING *) SELECT * FROM d", "refused|read"),
            ("SELECT nextval('plugin_numbers')", "more than read|refused"),
            ("SELECT set_config('transaction_read_only', 'off', true)", "refused the statement"),
            ("SELECT * FROM nothing", "does not exist"),
            ("SELECT 1/0", "division by zero"),
            ("SELECT repeat('x', 100000)", "longer than 32 KB"),
            ("SELECT 1 FOR UPDATE; SELECT 2", "more than one"),
        ],
    )
    def test_a_bad_statement_is_a_sentence(self, statement: str, sentence: str, url: str) -> None:
        with pytest.raises(PluginError, match=sentence):
            asked(url, statement)
        assert "Riesling" in asked(url, "SELECT name FROM plugin_wines")

    @pytest.mark.parametrize("statement", ["SELECT pg_sleep(100)", NEVER_ENDS])
    def test_what_does_not_end_is_stopped(self, statement: str, url: str) -> None:
        started = time.monotonic()
        with pytest.raises(PluginError, match="in time"):
            asked(url, statement, seconds=0.5)
        assert time.monotonic() - started < 3

    def test_only_fifty_rows_are_told(self, url: str) -> None:
        lines = asked(url, "SELECT * FROM generate_series(1, 1000) AS n").splitlines()
        assert len(lines) == 51
        assert lines[0] == '{"n":1}'
