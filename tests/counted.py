"""Hourly sums for tests: counted as the writer of the history counts them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.database import db
from portal.llm_clients.models import LLMClient
from portal.usage import counting


def count(
    llm_client: LLMClient,
    at: datetime,
    answered: int = 1,
    failed: int = 0,
    mode: str = "default",
    **columns: Any,
) -> None:
    """Count so many requests of a time; the history itself stays empty."""
    row = {
        "account_id": llm_client.account_id,
        "llm_client_id": llm_client.id,
        "created_at": at,
        "request_id": "",
        "provider": "demo",
        "model": "demo",
        "revision_number": 1,
        "api_key_id": None,
        "mode": mode,
        "error_code": "",
        "tokens_in": 0,
        "tokens_out": 0,
        "cost_micros": None,
        "latency_ms": None,
        "first_token_ms": None,
        **columns,
    }
    rows = [{**row, "status": 200}] * answered + [{**row, "status": 502}] * failed
    counting.write(db.session.connection(), rows)
    db.session.commit()
