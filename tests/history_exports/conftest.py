"""Exports over a real history: begun as a page does, written as the worker does."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.ctx import AppContext

from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.history_exports import exporting, files
from portal.history_exports.jobs import advance_export
from portal.history_exports.models import RequestExport
from portal.history_search.filters import parse
from portal.llm_clients import finding
from portal.llm_clients.models import LLMClient
from portal.request_history.models import LLMClientRequests, RequestBody
from portal.request_history.numbering import new_number
from portal.request_history.storing import whole
from portal.settings import Settings
from tests.history_search.conftest import History
from tests.people import MakeClient, People, Person
from tests.planes import Planes

Begin = Callable[..., int]


@pytest.fixture
def context(planes: Planes) -> Iterator[AppContext]:
    """The worker's application."""
    with planes.worker.app_context() as context:
        yield context
        db.session.rollback()


@pytest.fixture
def history(people: People, make_client: MakeClient, context: AppContext) -> History:
    """Alice has a client, charlie, who is a stranger, too."""
    make_client()
    make_client("other", people.charlie)
    return History(people)


@pytest.fixture
def begin(people: People) -> Begin:
    """Begin an export of the last 30 days with some filters; its number."""

    def make(file_format: str = "jsonl", person: Person | None = None, **values: str) -> int:
        now = utc_now()
        account = db.session.get_one(Account, (person or people.alice).account_id)
        filters = parse({"range": "30d", **values}, ZoneInfo("Europe/Berlin"), now)
        assert not filters.problems
        client = finding.for_account(account, filters["client"]) if filters["client"] else None
        export = exporting.begin(
            account,
            None,
            RequestExport.Formats(file_format),
            filters,
            client,
            secrets.token_hex(16),
            now,
        )
        db.session.commit()
        return export.id

    return make


def stored(export_id: int) -> RequestExport:
    """The row as it is now."""
    db.session.rollback()
    found = db.session.get_one(RequestExport, export_id, populate_existing=True)
    db.session.commit()
    return found


def make_due(export_id: int) -> RequestExport:
    """As if its lease and its pause were over."""
    export = stored(export_id)
    export.leased_until, export.next_attempt_at = None, utc_now() - timedelta(seconds=1)
    db.session.commit()
    return export


def written_file(export_id: int, most: int = 50) -> bytes:
    """What is in the file when the worker is done."""
    for _ in range(most):
        if stored(export_id).state != exporting.States.WRITING:
            break
        advance_export(export_id)
    export = stored(export_id)
    assert export.state == exporting.States.READY, export.message
    content = files.path_of(export.file_name).read_bytes()
    assert len(content) == export.bytes_written
    return content


def lines_of(content: bytes) -> list[dict[str, Any]]:
    """The requests of a JSON Lines file."""
    assert content.endswith(b"\n") or not content
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


def fill(account_id: int, count: int, *, before: datetime, answer: str = "word " * 40) -> None:
    """So many requests, a second apart, inserted in bulk."""
    client = db.session.scalars(
        db.select(LLMClient).where(LLMClient.account_id == account_id).limit(1)
    ).one()
    for first in range(0, count, 5_000):
        rows = []
        for number in range(first, min(first + 5_000, count)):
            at = before - timedelta(seconds=number)
            row = whole(
                {
                    "id": new_number(at),
                    "created_at": at,
                    "account_id": account_id,
                    "llm_client_id": client.id,
                    "llm_client_name": client.name,
                    "request_id": f"r{number}",
                    "request": {"message": f"What is number {number}?"},
                    "response": {"text": answer},
                    "status": 200,
                    "mode": "default",
                }
            )
            rows.append(row)
        db.session.execute(LLMClientRequests.__table__.insert(), rows)
        db.session.execute(RequestBody.__table__.insert(), rows)
        db.session.commit()


def environ_of(settings: Settings) -> dict[str, str]:
    """For another process over the same database and folder."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url or "",
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_SECRET_KEY": settings.secret_key,
        "PORTAL_ENCRYPTION_KEYS": " ".join(settings.encryption_keys),
        "PORTAL_INTERNAL_TOKEN": settings.internal_token,
        "PORTAL_TSIG_SECRET": settings.tsig_secret,
    }
