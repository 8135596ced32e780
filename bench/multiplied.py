"""Millions of requests out of a small realistic history, multiplied inside the database.

`Conversations` makes a base over the whole time. Each copy of it has numbers, times, session keys
and references of its own, and an order number that no other row has; clients, texts, outcomes and
durations are those of the base. Times move within their hour, so that days, nights and bursts stay,
and the sums of an hour are those of the base times the copies (`multiplied_sums`, which checks
some hours).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import postgresql, sqlite

from bench.bulk import Bulk, bulk_of
from bench.conversations import Conversations
from bench.multiplied_sums import HOUR, SUMS, disagree, sums
from portal.database import db
from portal.history_search.words import normal
from portal.request_history.numbering import EPOCH, FIRST_REQUEST, MICROSECOND
from portal.usage import counting
from portal.usage.series import Series
from portal.usage.tallies import hour_of

BASE = 250_000
MOST_COPIES = 64  # a session's key is turned by one place for each copy
GOLDEN = 2_224_922_359  # of an hour's microseconds: copies lie evenly in their hour
WINDOW = 10_000
CHECKED = 10  # days, of which every 29th hour is counted row by row
ANSWERS = 4.3  # shorter than usual, so that ten million rows of both databases fit on a disk
RARE, RARE_EVERY = "zymurgy", 100_000
LIKE_BASE = (
    *("llm_client_id", "llm_client_name", "revision_number", "hostname", "mode", "provider"),
    *("model", "status", "error_code", "error_text", "latency_ms", "first_token_ms", "tokens_in"),
    *("tokens_out", "cost_micros", "price_version", "answer_preview"),
)
TEXTS = ("request_id", "session_key", "question", "request", "response", "words", "error_words")
BASE_TABLE = (
    "number INTEGER PRIMARY KEY, hour_us BIGINT, past_us BIGINT, llm_client_id BIGINT,"
    " llm_client_name TEXT, revision_number INTEGER, hostname TEXT, mode TEXT, provider TEXT,"
    " model TEXT, status INTEGER, error_code TEXT, error_text TEXT, latency_ms INTEGER,"
    " first_token_ms INTEGER, tokens_in INTEGER, tokens_out INTEGER, cost_micros BIGINT,"
    " price_version TEXT, answer_preview TEXT, request_id TEXT, session_key TEXT, question TEXT,"
    " request TEXT, response TEXT, words TEXT, error_words TEXT"
)
COPIES_TABLE = "copy INTEGER PRIMARY KEY, shift BIGINT, suffix TEXT"
MADE = f"""
SELECT one.*, copies.copy, copies.suffix,
  one.hour_us + (one.past_us + copies.shift) % {HOUR} AS at_us,
  copies.copy * {{base}} + one.number AS mark
FROM bench_base one, bench_copies copies
WHERE copies.copy >= {{first}} AND copies.copy < {{last}}
"""  # noqa: S608 - our own numbers
NUMBER = f"{FIRST_REQUEST} + at_us * 2048 + (number * 31 + copy) % 2048"
SESSION = "substr(session_key, copy + 1) || substr(session_key, 1, copy)"
REFERENCE = (
    "substr(substr(request_id, copy % 20 + 1) || substr(request_id, 1, copy % 20), 1, 20) || suffix"
)
MARK = (
    f"'order' || mark || CASE WHEN mark % {RARE_EVERY} = {RARE_EVERY // 3}"
    f" THEN ' {RARE} ' ELSE ' ' END"
)


class Multiplied:
    """A history that grows by copies of its base."""

    def __init__(self, account_id: int, smallest: int, now: datetime) -> None:
        self.account_id, self.now = account_id, now
        self.base, self.copies = min(BASE, smallest), 0

    @property
    def rows(self) -> int:
        """How many there are now."""
        return self.base * self.copies

    def resume(self, engine: Engine) -> bool:
        """Take up a base that is still there; whether it is."""
        with bulk_of(engine) as bulk:
            if not bulk.has("bench_base"):
                return False
            [(self.base,)] = bulk.rows("SELECT count(*) FROM bench_base")
            [(rows,)] = bulk.rows("SELECT count(*) FROM llm_client_requests")
            self.copies = rows // self.base
        return True

    def open(self, engine: Engine, clients: list[tuple[int, str]], days: int) -> None:
        """Make the base, in tables of its own."""
        conversations = Conversations(self.account_id, clients, answers=ANSWERS)
        started = time.monotonic()
        with bulk_of(engine) as bulk:
            bulk.prepare(self.now - timedelta(days=days), self.now)
            bulk.make("bench_base", BASE_TABLE)
            bulk.make("bench_copies", COPIES_TABLE)
            names = ("number", "hour_us", "past_us", *LIKE_BASE, *TEXTS)
            found = conversations.between(self.now - timedelta(days=days), self.now, self.base)
            bulk.load("bench_base", names, map(_base_row, range(self.base), found))
            copies = [(copy, copy * GOLDEN % HOUR, f"{copy:04x}") for copy in range(MOST_COPIES)]
            bulk.load("bench_copies", ("copy", "shift", "suffix"), iter(copies))
        _say(f"base of {self.base:,} rows in {time.monotonic() - started:.0f} s")

    def grow(self, engine: Engine, rows: int) -> dict[str, float]:
        """Copies until there are so many rows; seconds by what they were spent on."""
        first, last = self.copies, rows // self.base
        if last > MOST_COPIES or last <= first:
            raise SystemExit(f"{rows:,} rows are not between {first} and {MOST_COPIES} copies.")
        spent: dict[str, float] = {}
        with bulk_of(engine) as bulk:
            made = MADE.format(base=self.base, first=first, last=last)
            _timed(spent, "dropping indices", bulk.drop_indices)
            _timed(spent, "rows and words", lambda: self._write(bulk, made, last - first))
            _timed(spent, "sessions", lambda: bulk.run(self._sessions(bulk, made)))
            _timed(spent, "indices", bulk.make_indices)
        _timed(spent, "sums", lambda: self._sum_up(engine, last))
        with bulk_of(engine) as bulk:
            _timed(spent, "tidying", bulk.tidy)
        self.copies = last
        return spent

    def close(self, engine: Engine) -> None:
        """Drop the base."""
        with bulk_of(engine) as bulk:
            bulk.forget("bench_base", "bench_copies")

    def _write(self, bulk: Bulk, made: str, copies: int) -> None:
        began, step = time.monotonic(), max(1, WINDOW // copies)
        borders = _hour_borders(bulk, step)
        for low, high in zip(borders, borders[1:], strict=False):
            within = f"({made} AND one.number >= {low} AND one.number < {high}) made"
            for statement in self._inserts(bulk, within):
                bulk.run(statement)
            _show(high * copies, self.base * copies, time.monotonic() - began)
        print(file=sys.stderr)

    def _inserts(self, bulk: Bulk, made: str) -> Iterator[str]:
        at = bulk.time_of("at_us")
        row = {name: name for name in LIKE_BASE} | {
            "id": NUMBER,
            "created_at": at,
            "updated_at": at,
            "account_id": str(self.account_id),
            "session_key": SESSION,
            "request_id": REFERENCE,
            "is_aggregation": "false",
            "question_preview": f"substr({MARK} || question, 1, 200)",
        }
        yield _insert("llm_client_requests", row, made)
        body = {
            "id": NUMBER,
            "account_id": str(self.account_id),
            "request": bulk.json(f"""'{{"message": "' || {MARK} || request"""),
            "response": bulk.json("response"),
        }
        yield _insert("llm_client_request_bodies", body, made)
        words = f"{MARK} || words || '\n' || error_words || '\n' || {SESSION}"
        yield _insert(*bulk.words(NUMBER, self.account_id, words), made)

    def _sessions(self, bulk: Bulk, made: str) -> str:
        first, last = bulk.time_of("min(at_us)"), bulk.time_of("max(at_us)")
        columns = {
            "session_key": SESSION,
            "account_id": str(self.account_id),
            "llm_client_id": "min(llm_client_id)",
            "started_at": first,
            "created_at": first,
            "last_at": last,
            "updated_at": last,
            "request_count": "count(*)",
            "error_count": "sum(CASE WHEN status >= 400 THEN 1 ELSE 0 END)",
            "tokens": "sum(tokens_in + tokens_out)",
            "cost_micros": "sum(cost_micros)",
            "visitor_hash": f"substr({SESSION}, 1, 32)",
            "user_agent": "''",
            "note": "''",
        }
        insert = _insert("prompts", columns, f"({made}) made").removesuffix(" ORDER BY 1")
        return f"{insert} GROUP BY session_key, copy ORDER BY min(at_us)"

    def _sum_up(self, engine: Engine, copies: int) -> None:
        """All sums anew: those of the base as the portal counts them, times the copies."""
        shifts = sorted(copy * GOLDEN % HOUR for copy in range(copies))
        series: dict[int, Series] = {}
        with bulk_of(engine) as bulk:
            bulk.run("DELETE FROM request_rollups")
            rows = self._base_rows(bulk)
            bulk.load("request_rollups", SUMS, sums(rows, shifts, series))
        dialect = sqlite if engine.dialect.name == "sqlite" else postgresql
        rows_of_series = [counting.row_of(found) for found in series.values()]
        insert = dialect.insert(counting.SERIES).on_conflict_do_nothing()
        db.session.execute(insert, rows_of_series)
        first = hour_of(self.now) - 24 * CHECKED
        wrong = disagree(
            db.session.connection(), self.account_id, range(first, first + 24 * CHECKED, 29)
        )
        db.session.commit()
        if wrong:
            raise SystemExit(f"The sums of these hours are not those of their rows: {wrong}")

    def _base_rows(self, bulk: Bulk) -> Iterator[dict[str, Any]]:
        names = [name for name in LIKE_BASE if name not in ("error_text", "answer_preview")]
        names = ["hour_us", "past_us", "session_key", *names]
        query = f"SELECT {', '.join(names)} FROM bench_base ORDER BY number"  # noqa: S608
        found = bulk.rows(query)  # before anything else is asked of the connection
        own = {"account_id": self.account_id, "api_key_id": None}
        return ({**dict(zip(names, values, strict=True)), **own} for values in found)


def _base_row(number: int, told: tuple[dict[str, Any], str, str, str]) -> list[Any]:
    """Texts without their mark, which each copy has of its own."""
    row, request, response, words = told
    past = (row["created_at"] - EPOCH) // MICROSECOND
    question, answer, _, _ = words.split("\n")
    more = {
        "question": row["question_preview"].partition(" ")[2],
        "request": request.split(" ", 2)[2],
        "response": response,
        "words": f"{question.partition(' ')[2]}\n{answer}",
        "error_words": normal(row["error_text"]),
    }
    values = {**row, **more}
    return [number, past - past % HOUR, past % HOUR, *(values[n] for n in (*LIKE_BASE, *TEXTS))]


def _insert(table: str, columns: dict[str, str], made: str) -> str:
    return (
        f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - our own words
        f" SELECT {', '.join(columns.values())} FROM {made} ORDER BY 1"
    )


def _hour_borders(bulk: Bulk, step: int) -> list[int]:
    """Numbers of the base at which an hour begins, about `step` apart; and the end."""
    found = bulk.rows("SELECT min(number), count(*) FROM bench_base GROUP BY hour_us ORDER BY 1")
    borders, end = [0], 0
    for first, count in found:
        end = first + count
        if first - borders[-1] >= step:
            borders.append(first)
    return [*borders, end]


def _timed(spent: dict[str, float], name: str, act: Any) -> None:
    started = time.monotonic()
    act()
    spent[name] = time.monotonic() - started
    _say(f"{name}: {spent[name]:.0f} s")


def _say(told: str) -> None:
    print(f"  {told}", file=sys.stderr, flush=True)


def _show(done: int, count: int, seconds: float) -> None:
    share = done / max(1, count)
    bar, rate = "#" * int(40 * share), done / max(seconds, 1e-9)
    left = (count - done) / max(rate, 1e-9)
    told = f"{done:,} of {count:,}, {rate:,.0f} rows/s, {left:,.0f} s left "
    print(f"\r  [{bar:40}] {told}", end="", file=sys.stderr, flush=True)
