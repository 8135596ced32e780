"""What was asked and answered: every request, the sessions they make up, and their hourly sums."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, backref, mapped_column, relationship

from portal.database import TimestampedModel, UTCDateTime
from portal.llm_clients.models import LLMClient


def new_request_id() -> str:
    """The reference that a row is found by, whoever writes it."""
    return secrets.token_hex(12)


class LLMClientRequests(TimestampedModel):
    """One request that a client answered, refused or failed."""

    __tablename__ = "llm_client_requests"
    __table_args__ = (
        Index("ix_llm_client_requests_account_id_id", "account_id", "id"),
        Index("ix_llm_client_requests_llm_client_id_id", "llm_client_id", "id"),
        Index("ix_llm_client_requests_session_key_id", "session_key", "id"),
    )

    llm_client_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_clients.id", ondelete="SET NULL")
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    session_key: Mapped[str] = mapped_column(String(64), default="")
    is_aggregation: Mapped[bool] = mapped_column(Boolean, default=False)
    request_id: Mapped[str] = mapped_column(String(40), unique=True, default=new_request_id)
    llm_client_name: Mapped[str] = mapped_column(String(255), default="")
    revision_number: Mapped[int | None] = mapped_column(Integer)
    hostname: Mapped[str] = mapped_column(String(253), default="")
    mode: Mapped[str] = mapped_column(String(10), default="")
    api_key_id: Mapped[int | None] = mapped_column(
        ForeignKey("auth_tokens.id", ondelete="SET NULL")
    )
    provider: Mapped[str] = mapped_column(String(60), default="")
    model: Mapped[str] = mapped_column(String(200), default="")
    status: Mapped[int] = mapped_column(Integer, default=200)
    error_code: Mapped[str] = mapped_column(String(40), default="")
    error_text: Mapped[str] = mapped_column(Text, default="")
    latency_ms: Mapped[int | None] = mapped_column(Integer)
    first_token_ms: Mapped[int | None] = mapped_column(Integer)
    tokens_in: Mapped[int] = mapped_column(Integer, default=0)
    tokens_out: Mapped[int] = mapped_column(Integer, default=0)
    cost_micros: Mapped[int | None] = mapped_column(BigInteger)
    price_version: Mapped[str] = mapped_column(String(20), default="")
    question_preview: Mapped[str] = mapped_column(String(200), default="")
    answer_preview: Mapped[str] = mapped_column(String(200), default="")
    response: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    llm_client: Mapped[LLMClient | None] = relationship(
        backref=backref("llmclientrequests_set", lazy="write_only", passive_deletes=True)
    )

    def __init__(self, **columns: Any) -> None:
        """As in the mission's example, the client alone says whose request it is."""
        llm_client = columns.get("llm_client")
        if llm_client is not None:
            columns.setdefault("account_id", llm_client.account_id)
            columns.setdefault("llm_client_name", llm_client.name)
        super().__init__(**columns)


class Prompt(TimestampedModel):
    """One chat session; its key opens its own client only."""

    __tablename__ = "prompts"
    __table_args__ = (Index("ix_prompts_llm_client_id_last_at", "llm_client_id", "last_at"),)

    session_key: Mapped[str] = mapped_column(String(64), unique=True)
    llm_client_id: Mapped[int] = mapped_column(ForeignKey("llm_clients.id", ondelete="CASCADE"))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    request_count: Mapped[int] = mapped_column(Integer, default=0)
    visitor_hash: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    rating: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(Text, default="")
    llm_client: Mapped[LLMClient] = relationship(
        backref=backref("prompt_set", lazy="write_only", passive_deletes=True)
    )
