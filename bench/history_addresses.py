"""What of a large history is visited: addresses, and the hand-written SQL for the same rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from bench.multiplied import RARE
from portal.accounts.models import Account
from portal.database import db
from portal.history_search.words import trigrams_of
from portal.llm_clients.models import LLMClient
from portal.request_history.numbering import first_of
from portal.usage.series import of_account
from portal.usage.tallies import hour_of

DAYS = 90
SHOWN = "id, created_at, llm_client_name, question_preview, answer_preview, status, latency_ms"
ROW = "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
BY_KEY = "SELECT {shown} FROM llm_client_requests WHERE {where} ORDER BY id DESC LIMIT 51"


@dataclass(frozen=True)
class Sample:
    """What the addresses and the hand-written queries ask for."""

    account_id: int
    client_id: int
    hashed_id: str
    session_key: str
    middle: int
    request_id: int
    common: str
    word: str
    now: datetime

    @property
    def day(self) -> datetime:
        return (self.now - timedelta(days=20)).replace(hour=0, minute=0, second=0, microsecond=0)


def pages(sample: Sample) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """By name: the portal's address, the limit's SQL, and its values."""
    mine, engine = {"account": sample.account_id}, db.engine.dialect.name
    day = {"first": first_of(sample.day), "last": first_of(sample.day + timedelta(days=1))}
    typed = sample.day.date().isoformat()

    def by_key(where: str) -> str:
        return BY_KEY.format(shown=SHOWN, where=where)

    return {
        "first page": ("/requests/?range=90d", by_key("account_id = :account"), mine),
        "deep page": (
            f"/requests/?range=90d&before={sample.middle}",
            by_key("account_id = :account AND id < :middle"),
            {**mine, "middle": sample.middle},
        ),
        "one small client": (
            f"/requests/?range=90d&client={sample.hashed_id}",
            by_key("llm_client_id = :client"),
            {"client": sample.client_id},
        ),
        "one session": (
            f"/requests/?range=90d&session_key={sample.session_key}",
            by_key("session_key = :session"),
            {"session": sample.session_key},
        ),
        "one day": (
            f"/requests/?from={typed}&to={typed}",
            by_key("account_id = :account AND id >= :first AND id < :last"),
            {**mine, **day},
        ),
        "failed": (
            "/requests/?range=90d&status=unanswered",
            by_key("account_id = :account AND status >= 400"),
            mine,
        ),
        "answered": (
            "/requests/?range=90d&status=answered",
            by_key("account_id = :account AND status < 400"),
            mine,
        ),
        "detail": (
            f"/requests/{sample.request_id}",
            "SELECT r.*, b.request, b.response FROM llm_client_requests r"
            " LEFT JOIN llm_client_request_bodies b ON b.id = r.id WHERE r.id = :row",
            {"row": sample.request_id},
        ),
        "sessions": (
            "/sessions/?range=90d",
            "SELECT session_key, last_at, llm_client_id, request_count, error_count, tokens,"
            " cost_micros FROM prompts WHERE account_id = :account ORDER BY last_at DESC LIMIT 51",
            mine,
        ),
        **{
            f"search {name}": (
                f"/requests/?range=90d&q={word}",
                SEARCH[how].format(shown=SHOWN),
                {"word": _trigrams(word), "like": f"%{word}%", **mine},
            )
            for name, word, how in (
                ("a common word", sample.common, f"{engine} common"),
                ("a rare word", RARE, f"{engine} rare"),
                ("a number once there", sample.word, f"{engine} rare"),
            )
        },
        "search two letters": (
            f"/requests/?range=90d&q={sample.common[:2]}",
            by_key("account_id = :account AND question_preview LIKE :like"),
            {**mine, "like": f"%{sample.common[:2]}%"},
        ),
        **{
            f"overview, {days} days": (
                f"/?range={days}d",
                "SELECT hour, answered, failed, tokens_in, latencies FROM request_rollups"
                " WHERE series_id = :series AND hour >= :hour ORDER BY hour",
                {
                    "series": of_account(sample.account_id).id,
                    "hour": hour_of(sample.now - timedelta(days=days)),
                },
            )
            for days in (30, 90)
        },
    }


def _trigrams(word: str) -> str:
    """What FTS5 is asked for a word, without verifying that the trigrams lie side by side."""
    return " AND ".join(f'"{one}"' for one in trigrams_of(word))


BY_FTS = (
    "SELECT {shown} FROM llm_client_requests WHERE id IN (SELECT rowid FROM"
    " request_search WHERE request_search MATCH :word ORDER BY rowid DESC LIMIT 51)"
    " ORDER BY id DESC"
)
# PostgreSQL has to be told which: all hits of a rare word, or the newest rows until there are 51.
SEARCH = {
    "sqlite common": BY_FTS,
    "sqlite rare": BY_FTS,
    "postgresql common": "SELECT {shown} FROM llm_client_requests WHERE id IN (SELECT id FROM"
    " request_search WHERE account_id = :account AND words LIKE :like ORDER BY id DESC LIMIT 51)"
    " ORDER BY id DESC",
    "postgresql rare": "WITH hits AS MATERIALIZED (SELECT id FROM request_search WHERE"
    " account_id = :account AND words LIKE :like) SELECT {shown} FROM llm_client_requests"
    " WHERE id IN (SELECT id FROM hits) ORDER BY id DESC LIMIT 51",
}


def sample_of(account: Account, marks: int, now: datetime) -> Sample:
    """A small client, a session of it, a row in the middle, a word that occurs once."""
    client = db.session.scalars(
        db.select(LLMClient).where(LLMClient.account_id == account.id).order_by(LLMClient.id.desc())
    ).first()
    assert client is not None
    key = db.session.execute(
        text("SELECT session_key FROM llm_client_requests WHERE llm_client_id = :id LIMIT 1"),
        {"id": client.id},
    ).scalar()
    middle = first_of(now - timedelta(days=DAYS // 2))
    return Sample(
        account.id,
        client.id,
        client.hashed_id,
        str(key),
        middle,
        int(_below(middle, "id", 1)[0]),
        _common(_below(middle, "question_preview", 500)),
        f"order{marks * 271_828 // 1_000_000}",
        now,
    )


def _below(middle: int, column: str, count: int) -> list[Any]:
    query = f"SELECT {column} FROM llm_client_requests WHERE id < {middle} ORDER BY id DESC"  # noqa: S608
    return list(db.session.scalars(text(f"{query} LIMIT {count}")))


def _common(questions: list[str]) -> str:
    """The most frequent word of five letters and more."""
    words = Counter(word for one in questions for word in one.split()[1:] if len(word) > 4)
    return words.most_common(1)[0][0]
