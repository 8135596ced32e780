"""What a committed request consists of: row, bodies, session, sums, uses of keys, words to index.

All of a batch goes in together (recording.py); everything is sorted by its key, so that two
writers never wait for each other in a circle.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.database import Serialized
from portal.quick_statements import SQLITE, Quick, among
from portal.request_history import key_networks, key_uses
from portal.request_history.models import LLMClientRequests, Prompt, RequestBody, RequestToIndex
from portal.request_history.numbering import new_number
from portal.request_history.redaction import Redaction, hidden, hidden_in
from portal.usage import counting
from portal.vault import tokens

PREVIEW = 200
LONGEST_ERROR = 4000
Told = Sequence["tuple[dict[str, Any], Visit | None]"]


@dataclass(frozen=True)
class Visit:
    """The session that a request belongs to; `network_hash` of a request with a key."""

    session_key: str
    visitor_hash: str = ""
    user_agent: str = ""
    network_hash: str = ""


def insert(connection: Connection, told: Told) -> None:
    """Write rows that are `whole`, each with its visit, in the running transaction."""
    rows = [row for row, _ in told]
    for row in rows:
        row["id"] = new_number(row["created_at"])
    for statement in _ROWS if connection.dialect.name == SQLITE else _ROWS_AT_ONCE:
        statement.run(connection, rows)
    counting.write(connection, rows, _sessions(connection, told))
    networks = [(row["api_key_id"], visit.network_hash) for row, visit in told if visit is not None]
    key_networks.note(connection, networks)
    key_uses.note(connection, rows)


def _insert(table: Any) -> Any:
    return table.insert().values({column.name: bindparam(column.name) for column in table.columns})


_TABLES = (LLMClientRequests.__table__, RequestBody.__table__, RequestToIndex.__table__)
_ROWS = [Quick(_insert(table)) for table in _TABLES]
# PostgreSQL writes into all three at once, which is two ways to the server less.
_ROWS_AT_ONCE = [
    Quick(
        _insert(_TABLES[2]).add_cte(
            _insert(_TABLES[0]).cte("the_request"), _insert(_TABLES[1]).cte("its_body")
        )
    )
]


def _sessions(connection: Connection, told: Told) -> set[str]:
    """Write the sessions; the `request_id`s of the requests with which one began."""
    found = _session_rows(told)
    if not found:
        return set()
    there = {key for (key,) in _KNOWN.rows(connection, {"keys": list(found)})}
    _UPSERT.run(connection, [row for _, (_, row) in sorted(found.items())])
    return {request_id for key, (request_id, _) in found.items() if key not in there}


def _session_rows(told: Told) -> dict[str, tuple[str, dict[str, Any]]]:
    """By key: the reference of the session's first request of the batch, and its columns."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for row, visit in told:
        if visit is None:
            continue
        at = row["created_at"]
        new = {
            "session_key": visit.session_key,
            "account_id": row["account_id"],
            "llm_client_id": row["llm_client_id"],
            "started_at": at,
            "created_at": at,
            "visitor_hash": visit.visitor_hash,
            "user_agent": visit.user_agent[:255],
            "note": "",
            **dict.fromkeys(SUMMED, 0),
        }
        _, session = found.setdefault(visit.session_key, (row["request_id"], new))
        session["request_count"] += 1
        session["error_count"] += row["status"] >= 400
        session["tokens"] += row["tokens_in"] + row["tokens_out"]
        session["cost_micros"] += row["cost_micros"] or 0
        session["last_at"] = session["updated_at"] = at
    return found


SUMMED = ("request_count", "error_count", "tokens", "cost_micros")
SESSIONS = Prompt.__table__
_TOLD_ONCE = ("session_key", "account_id", "llm_client_id", "started_at", "created_at")
_SAID_OF_IT = ("visitor_hash", "user_agent", "note")
_NEWEST = ("last_at", "updated_at")


def _upsert(dialect_name: str) -> Any:
    dialect, table = sqlite if dialect_name == SQLITE else postgresql, SESSIONS
    statement = dialect.insert(table)
    newer = {name: statement.excluded[name] for name in _NEWEST}
    more = {name: table.c[name] + statement.excluded[name] for name in SUMMED}
    return statement.on_conflict_do_update(index_elements=["session_key"], set_=newer | more)


_UPSERT = Quick(_upsert, (*_TOLD_ONCE, *_SAID_OF_IT, *SUMMED, *_NEWEST))
_KNOWN = Quick(
    lambda name: select(SESSIONS.c.session_key).where(among(SESSIONS.c.session_key, "keys", name))
)


_DEFAULTS: dict[str, Any] = {
    "session_key": "",
    "is_aggregation": False,
    "llm_client_name": "",
    "revision_number": None,
    "hostname": "",
    "mode": "",
    "api_key_id": None,
    "provider": "",
    "model": "",
    "error_code": "",
    "error_text": "",
    "latency_ms": None,
    "first_token_ms": None,
    "tokens_in": 0,
    "tokens_out": 0,
    "cost_micros": None,
    "price_version": "",
    "question_preview": "",
    "answer_preview": "",
    "response": None,
}


def whole(row: dict[str, Any]) -> dict[str, Any]:
    """The row with all its columns, texts cut to what they hold, without keys that were typed.

    `redaction` (redaction.py) says what the account wants hidden besides; it is no column.
    """
    made = {**_DEFAULTS, **row}
    redaction: Redaction | None = made.pop("redaction", None)
    if redaction is not None:
        _hide(made, redaction)
    made["updated_at"] = made["created_at"]
    for name in ("question_preview", "answer_preview"):
        made[name] = " ".join(tokens.hidden(str(made[name])).split())[:PREVIEW]
    made["model"] = str(made["model"])[:200]
    made["error_text"] = tokens.hidden(str(made["error_text"]))[:LONGEST_ERROR]
    for name in ("request", "response"):
        made[name] = _without_keys(made[name])
    return made


def _hide(made: dict[str, Any], redaction: Redaction) -> None:
    for name in ("question_preview", "answer_preview", "error_text"):
        made[name] = hidden(str(made[name]), redaction)
    for name in ("request", "response"):
        made[name] = hidden_in(made[name], redaction)


def _without_keys(content: Any) -> Any:
    """JSON without the API keys that somebody wrote into a message; what is no JSON as it is."""
    if content is None:
        return None
    try:
        text = json.dumps(content)
    except (TypeError, ValueError, RecursionError):
        return content
    if tokens.NAME in text:
        text = tokens.hidden(text)
    return Serialized(text)
