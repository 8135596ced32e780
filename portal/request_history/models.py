"""What was asked and answered: every request, what was said in it, and the sessions."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
)
from sqlalchemy.ext.associationproxy import AssociationProxy, association_proxy
from sqlalchemy.orm import Mapped, backref, mapped_column, relationship

from portal.database import BigId, Model, ReadableJSON, UTCDateTime, utc_now
from portal.llm_clients.models import LLMClient
from portal.request_history.numbering import new_number


def new_request_id() -> str:
    """The reference that a row is found by, whoever writes it."""
    return secrets.token_hex(12)


class RequestBody(Model):
    """The JSON of a request and of its answer, apart from what lists and charts read.

    `id` is the request's. It goes earlier than the row does (account.request_bodies_days).
    """

    __tablename__ = "llm_client_request_bodies"
    __table_args__ = (
        Index("ix_llm_client_request_bodies_account_id_id", "account_id", "id"),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    request: Mapped[dict[str, Any]] = mapped_column(ReadableJSON)
    response: Mapped[dict[str, Any] | None] = mapped_column(ReadableJSON)


class LLMClientRequests(Model):
    """One request that a client answered, refused or failed; or the sums of a day's.

    `id` carries `created_at` (numbering.py), so the times need no index of their own. Keys may be
    gone that `api_key_id` names.
    """

    __tablename__ = "llm_client_requests"
    __table_args__ = (
        Index("ix_llm_client_requests_account_id_id", "account_id", "id"),
        Index("ix_llm_client_requests_llm_client_id_id", "llm_client_id", "id"),
        Index("ix_llm_client_requests_session_key_id", "session_key", "id"),
        Index("ix_llm_client_requests_request_id", "request_id"),
        Index(
            "ix_llm_client_requests_unanswered",
            "account_id",
            "id",
            sqlite_where=text("status >= 400"),
            postgresql_where=text("status >= 400"),
        ),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, onupdate=utc_now)
    llm_client_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_clients.id", ondelete="SET NULL")
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    session_key: Mapped[str] = mapped_column(String(64), default="")
    is_aggregation: Mapped[bool] = mapped_column(Boolean, default=False)
    request_id: Mapped[str] = mapped_column(String(40), default=new_request_id)
    llm_client_name: Mapped[str] = mapped_column(String(255), default="")
    revision_number: Mapped[int | None] = mapped_column(Integer)
    hostname: Mapped[str] = mapped_column(String(253), default="")
    mode: Mapped[str] = mapped_column(String(10), default="")
    api_key_id: Mapped[int | None] = mapped_column(BigId)
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
    llm_client: Mapped[LLMClient | None] = relationship(
        backref=backref("llmclientrequests_set", lazy="write_only", passive_deletes=True)
    )
    body: Mapped[RequestBody | None] = relationship(
        primaryjoin=lambda: LLMClientRequests.id == RequestBody.id,
        foreign_keys=lambda: RequestBody.id,
        cascade="all, delete-orphan",
        lazy="joined",
    )
    request: AssociationProxy[dict[str, Any] | None] = association_proxy(
        "body", "request", creator=lambda request: RequestBody(request=request)
    )
    response: AssociationProxy[dict[str, Any] | None] = association_proxy(
        "body", "response", creator=lambda response: RequestBody(request={}, response=response)
    )

    def __init__(self, **columns: Any) -> None:
        """As in the mission's example, the client alone says whose request it is."""
        llm_client = columns.get("llm_client")
        if llm_client is not None:
            columns.setdefault("account_id", llm_client.account_id)
            columns.setdefault("llm_client_name", llm_client.name)
        created_at = columns.setdefault("created_at", utc_now())
        columns.setdefault("updated_at", created_at)
        columns.setdefault("id", new_number(created_at))
        columns.setdefault("request", {})
        super().__init__(**columns)
        if self.body is not None:
            self.body.account_id = columns["account_id"]


class RequestToIndex(Model):
    """A request whose words the search does not know yet (search.py)."""

    __tablename__ = "requests_to_index"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)


class Prompt(Model):
    """One chat session; its key opens its own client only."""

    __tablename__ = "prompts"
    __table_args__ = (
        Index("ix_prompts_llm_client_id_last_at", "llm_client_id", "last_at"),
        Index("ix_prompts_account_id_last_at", "account_id", "last_at"),
        Index("ix_prompts_visitor_hash", "visitor_hash"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utc_now, onupdate=utc_now)
    session_key: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    llm_client_id: Mapped[int] = mapped_column(ForeignKey("llm_clients.id", ondelete="CASCADE"))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    request_count: Mapped[int] = mapped_column(Integer, default=0)
    error_count: Mapped[int] = mapped_column(Integer, default=0)
    tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    cost_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    visitor_hash: Mapped[str] = mapped_column(String(64), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    rating: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(Text, default="")
    llm_client: Mapped[LLMClient] = relationship(
        backref=backref("prompt_set", lazy="write_only", passive_deletes=True)
    )
