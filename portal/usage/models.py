"""Sums of what clients answered, by hour: what lists and charts read instead of the history."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import BigId, Model, UTCDateTime


class RequestRollup(Model):
    """One hour of one revision, model and mode of one client.

    Times in ms are sums, as is the cost in micro-units of the account's currency."""

    __tablename__ = "request_rollups"
    __table_args__ = (
        UniqueConstraint("llm_client_id", "hour", "revision_number", "model", "mode"),
        Index("ix_request_rollups_account_id_hour", "account_id", "hour"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    llm_client_id: Mapped[int] = mapped_column(ForeignKey("llm_clients.id", ondelete="CASCADE"))
    hour: Mapped[datetime] = mapped_column(UTCDateTime)
    revision_number: Mapped[int] = mapped_column(Integer, default=0)
    model: Mapped[str] = mapped_column(String(200), default="")
    mode: Mapped[str] = mapped_column(String(10), default="")
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    answered: Mapped[int] = mapped_column(Integer, default=0)
    failed: Mapped[int] = mapped_column(Integer, default=0)
    tokens_in: Mapped[int] = mapped_column(BigInteger, default=0)
    tokens_out: Mapped[int] = mapped_column(BigInteger, default=0)
    latency_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    cost_micros: Mapped[int] = mapped_column(BigInteger, default=0)
