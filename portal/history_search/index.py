"""The index of words, as each database has one: learning, forgetting, finding.

Neither index is a second copy of the truth: what is found is read again from the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from weakref import WeakSet

from sqlalchemy import Connection, Engine, TextClause, bindparam, select, text

from portal.history_search import words
from portal.request_history.models import LLMClientRequests, RequestBody

# SQLite's index knows no columns beside the words, so the account is a word of its own: three
# characters out of Unicode's private use, where hardly anybody's text is.
PRIVATE_FIRST, PRIVATE_SIZE = 0xE000, 0x1000
WALKED = 5_000
AT_ONCE = 200
THEN_AT_ONCE = 5_000  # after a first portion that was not enough
LARGEST = 2**63 - 1


class Entry(NamedTuple):
    """What the index learns of a request."""

    id: int
    account_id: int
    llm_client_id: int | None
    words: str


@dataclass(frozen=True)
class Hunt:
    """What is searched for, newest first: ids from `first` until before `last`."""

    account_id: int
    llm_client_id: int | None
    terms: tuple[str, ...]
    first: int
    last: int = LARGEST


class WordIndex(Protocol):
    """`find` may give ids in whose requests the terms are not, or of other accounts' requests; it
    leaves none of the account's out.

    What the index was not taught yet is among them: usually the requests of the last second.
    """

    def learn(self, connection: Connection, entries: Sequence[Entry]) -> None: ...

    def forget(self, connection: Connection, entries: Sequence[Entry]) -> None: ...

    def can_find(self, connection: Connection, terms: tuple[str, ...]) -> bool: ...

    def find(self, connection: Connection, hunt: Hunt) -> Iterator[int]: ...


def index_of(connection: Connection) -> WordIndex:
    """The index of the database that a connection leads to."""
    return SqliteIndex() if connection.dialect.name == "sqlite" else PostgresqlIndex()


def entries_of(connection: Connection, ids: Iterable[int]) -> list[Entry]:
    """What the index learns, or once learned, of these requests; none of those without a body."""
    rows = LLMClientRequests.__table__
    bodies = RequestBody.__table__
    query = (
        select(
            rows.c.id,
            rows.c.account_id,
            rows.c.llm_client_id,
            rows.c.error_text,
            rows.c.session_key,
            bodies.c.request,
            bodies.c.response,
        )
        .join_from(rows, bodies, bodies.c.id == rows.c.id)
        .where(rows.c.id.in_(bindparam("ids", expanding=True)))
        .order_by(rows.c.id)
    )
    return [
        Entry(
            row.id,
            row.account_id,
            row.llm_client_id,
            words.words_of(row.request, row.response, row.error_text, row.session_key),
        )
        for row in connection.execute(query, {"ids": list(ids)})
    ]


def _private(number: int) -> str:
    digits = []
    for _ in range(words.TRIGRAM):
        number, digit = divmod(number, PRIVATE_SIZE)
        digits.append(chr(PRIVATE_FIRST + digit))
    return "".join(digits)


class SqliteIndex:
    """FTS5 with trigrams; walks its hits downwards without gathering them first."""

    def learn(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Once for each id."""
        connection.execute(
            text("INSERT INTO request_search (rowid, words) VALUES (:id, :words)"),
            [{"id": entry.id, "words": self._text(entry)} for entry in entries],
        )

    def forget(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Exactly what was learned."""
        connection.execute(
            text(
                "INSERT INTO request_search (request_search, rowid, words)"
                " VALUES ('delete', :id, :words)"
            ),
            [{"id": entry.id, "words": self._text(entry)} for entry in entries],
        )

    def _text(self, entry: Entry) -> str:
        return f"{_private(entry.account_id)}\n{entry.words}"

    def can_find(self, connection: Connection, terms: tuple[str, ...]) -> bool:
        return any(not words.is_short(term) for term in terms)

    def find(self, connection: Connection, hunt: Hunt) -> Iterator[int]:
        """In portions: a cursor is never left open.

        The first is of all accounts' requests, so that a rare word is there at once: the account's
        own mark is in each of its requests, and to read where all those are takes the longer the
        larger the history is.
        """
        wanted = [one for term in hunt.terms for one in words.trigrams_of(term)]
        values = {"match": _all_of(wanted), "first": hunt.first, "last": hunt.last}
        ids = list(connection.scalars(_MATCH, {**values, "most": AT_ONCE}))
        yield from ids
        if len(ids) == AT_ONCE:
            marked = _all_of([_private(hunt.account_id), *wanted])
            values |= {"match": marked, "last": ids[-1]}
            yield from _in_portions(connection, _MATCH, values, THEN_AT_ONCE)


def _all_of(wanted: Iterable[str]) -> str:
    return " AND ".join('"' + one.replace('"', '""') + '"' for one in wanted)


def _in_portions(
    connection: Connection, query: TextClause, values: dict[str, Any], most: int = AT_ONCE
) -> Iterator[int]:
    """Ids downwards, by statements that are given how many they may find at most."""
    while True:
        ids = list(connection.scalars(query, {**values, "most": most}))
        yield from ids
        if len(ids) < most:
            return
        values, most = {**values, "last": ids[-1]}, THEN_AT_ONCE


_WAITING = """
SELECT id FROM (
  SELECT id FROM requests_to_index WHERE id >= :first AND id < :last
  ORDER BY id DESC LIMIT :most
) AS waiting ORDER BY id DESC LIMIT :most
"""
_MATCH = text(f"""
SELECT id FROM (
  SELECT rowid AS id FROM request_search WHERE request_search MATCH :match
  AND rowid >= :first AND rowid < :last ORDER BY rowid DESC LIMIT :most
) AS known UNION {_WAITING}
""")  # noqa: S608 - our own words


class PostgresqlIndex:
    """A table of words with `pg_trgm`'s index, where the server has it."""

    def learn(self, connection: Connection, entries: Sequence[Entry]) -> None:
        """Once for each id."""
        connection.execute(_LEARN, [entry._asdict() for entry in entries])

    def forget(self, connection: Connection, entries: Sequence[Entry]) -> None:
        connection.execute(_FORGET, {"ids": [entry.id for entry in entries]})

    def can_find(self, connection: Connection, terms: tuple[str, ...]) -> bool:
        if not any(words.longest_run(term) >= words.TRIGRAM for term in terms):
            return False
        if connection.engine not in _indexed and connection.scalar(_HAS_INDEX):
            _indexed.add(connection.engine)
        return connection.engine in _indexed

    def find(self, connection: Connection, hunt: Hunt) -> Iterator[int]:
        """The newest rows by walking, which finds frequent words at once; the rest by the index."""
        values = {
            "account_id": hunt.account_id,
            "llm_client_id": hunt.llm_client_id,
            "first": hunt.first,
            "last": hunt.last,
            "walked": WALKED,
            **{f"term{n}": f"%{_escaped(term)}%" for n, term in enumerate(hunt.terms)},
        }
        like = "".join(f" AND words LIKE :term{n}" for n in range(len(hunt.terms)))
        if hunt.llm_client_id is not None:
            like += " AND llm_client_id = :llm_client_id"
        yield from _in_portions(connection, text(_HUNT.format(like=like, waiting=_WAITING)), values)


# Databases whose index of trigrams was seen; nobody takes it away again.
_indexed: WeakSet[Engine] = WeakSet()


def _escaped(term: str) -> str:
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


_LEARN = text(
    "INSERT INTO request_search (id, account_id, llm_client_id, words)"
    " VALUES (:id, :account_id, :llm_client_id, :words) ON CONFLICT DO NOTHING"
)
_FORGET = text("DELETE FROM request_search WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_HAS_INDEX = text("SELECT to_regclass('ix_request_search_words') IS NOT NULL")
# The index is asked only when walking was not enough, and only below where that ended: both parts
# are read in their order, and no further than to what is wanted. `id + 0` keeps the planner from
# reading the keys of a whole range, which grow with the history, to join them with a few hits.
_HUNT = """
WITH newest AS MATERIALIZED (
  SELECT id, (TRUE{like}) AS is_hit FROM request_search
  WHERE account_id = :account_id AND id >= :first AND id < :last
  ORDER BY id DESC LIMIT :walked
), border AS MATERIALIZED (
  SELECT CASE WHEN count(*) = :walked THEN min(id) ELSE CAST(:first AS BIGINT) END AS id
  FROM newest
), hits AS MATERIALIZED (
  SELECT id FROM request_search
  WHERE account_id = :account_id AND id >= :first AND id + 0 < (SELECT id FROM border)
  AND (SELECT id FROM border) > :first{like}
)
SELECT id FROM (
  SELECT id FROM newest WHERE is_hit UNION ALL (SELECT id FROM hits ORDER BY id DESC) LIMIT :most
) AS known UNION {waiting}
"""
