"""Finding clients; every query starts from the account."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account
from portal.database import db
from portal.llm_clients.models import LLMClient

# What a client's page shows, few rows each, so that it is one query.
_WITH_ALL = (
    joinedload(LLMClient.published_revision),
    joinedload(LLMClient.tags),
    joinedload(LLMClient.llmclientfunctions_set),
)


def for_account(account: Account, public_id: str) -> LLMClient | None:
    """The account's client with this number or hashed id; None for any other's."""
    column: Any = LLMClient.id if is_number(public_id) else LLMClient.hashed_id
    value: Any = int(public_id) if is_number(public_id) else public_id
    query = select(LLMClient).where(LLMClient.account_id == account.id, column == value)
    return db.session.scalars(query.options(*_WITH_ALL)).unique().one_or_none()


def is_number(text: str) -> bool:
    """Plain digits that a database can hold; `²` is a digit, too, but no number."""
    return text.isascii() and text.isdigit() and len(text) < 19
