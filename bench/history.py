"""A large account: a thousand clients and a hundred thousand requests, inserted in bulk."""

from __future__ import annotations

import random
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from bench.rig import DNS, TLS
from portal.accounts.models import Account, UserProfile
from portal.database import db
from portal.llm_clients.models import LLMClient, LLMClientHost, LLMClientRevision
from portal.request_history.models import LLMClientRequests
from portal.usage.models import RequestRollup

BATCH = 5_000
ANSWER = " ".join(f"word{number}" for number in range(150))


def fill(account: Account, clients: int, requests: int, now: datetime) -> None:
    """Clients with a revision and an open host each, requests of the last month, hourly sums."""
    profile = account.admin_profile
    assert profile is not None
    ids = _clients(account, profile, clients)
    _revisions_and_hosts(account, ids)
    _requests(account, ids, requests, now)
    _sums(account, ids, now)
    db.session.commit()


def _clients(account: Account, profile: UserProfile, count: int) -> list[int]:
    rows = [
        {
            "account_id": account.id,
            "user_profile_id": profile.id,
            "name": f"client_{number:05d}",
            "hashed_id": "b" + secrets.token_hex(10)[:19],
            "provider": "demo",
            "default_model": "demo",
            "deployed": number % 3 > 0,
            "dns_verification_status": DNS,
            "tls_certificate_issuance_status": TLS,
        }
        for number in range(count)
    ]
    db.session.execute(insert(LLMClient), rows)
    query = db.select(LLMClient.id).where(LLMClient.account_id == account.id)
    return list(db.session.scalars(query.order_by(LLMClient.id)))


def _revisions_and_hosts(account: Account, ids: list[int]) -> None:
    revisions = [
        {"llm_client_id": found, "number": 1, "content": {"provider": "demo"}, "content_hash": ""}
        for found in ids
    ]
    columns = set(LLMClientRevision.__table__.columns.keys())
    db.session.execute(
        insert(LLMClientRevision),
        [{key: value for key, value in row.items() if key in columns} for row in revisions],
    )
    hosts = [
        {
            "account_id": account.id,
            "llm_client_id": found,
            "hostname": f"client-{found}.example.test",
            "state": LLMClientHost.States.CURRENT,
            "is_open": True,
        }
        for found in ids
    ]
    db.session.execute(insert(LLMClientHost), hosts)


def _requests(account: Account, ids: list[int], count: int, now: datetime) -> None:
    chance = random.Random(7)  # noqa: S311 - the same history each time
    start = now - timedelta(days=30)
    step = timedelta(days=30) / count
    for first in range(0, count, BATCH):
        numbers = range(first, min(first + BATCH, count))
        rows = [_row(account, chance.choice(ids), n, start + n * step) for n in numbers]
        db.session.execute(insert(LLMClientRequests), rows)
        db.session.commit()


def _row(account: Account, client_id: int, number: int, at: datetime) -> dict[str, Any]:
    return {
        "account_id": account.id,
        "llm_client_id": client_id,
        "llm_client_name": f"client_{client_id:05d}",
        "created_at": at,
        "updated_at": at,
        "request_id": f"{number:024x}",
        "session_key": f"{number // 5:064x}",
        "request": {"message": f"Question {number} of a visitor"},
        "response": {"text": ANSWER},
        "question_preview": f"Question {number} of a visitor",
        "answer_preview": ANSWER[:200],
        "status": 502 if number % 50 == 0 else 200,
        "latency_ms": 400 + number % 900,
        "tokens_in": 40,
        "tokens_out": 150,
        "mode": "default",
        "provider": "demo",
        "model": "demo",
        "hostname": f"client-{client_id}.example.test",
    }


def _sums(account: Account, ids: list[int], now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    rows = [
        {
            "account_id": account.id,
            "llm_client_id": client_id,
            "hour": hour - timedelta(hours=ago),
            "last_at": hour,
            "revision_number": 1,
            "model": "demo",
            "mode": "default",
            "answered": 9,
            "failed": 1,
            "tokens_in": 400,
            "tokens_out": 1500,
            "latency_ms": 5000,
        }
        for client_id in ids[::20]
        for ago in range(14 * 24)
    ]
    db.session.execute(insert(RequestRollup), rows)
