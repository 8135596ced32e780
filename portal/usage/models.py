"""Sums of what clients answered, by hour: what lists and charts read instead of the history."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import BackgroundProgress, BigId, Model, TimestampedModel, UTCDateTime


class UsageSeries(Model):
    """What some sums are of (series.py); its id is made of all the other columns."""

    __tablename__ = "usage_series"
    __table_args__ = (
        Index("ix_usage_series_account_id_grain", "account_id", "grain"),
        Index("ix_usage_series_llm_client_id_grain", "llm_client_id", "grain"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    grain: Mapped[str] = mapped_column(String(10))
    llm_client_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_clients.id", ondelete="CASCADE")
    )
    provider: Mapped[str] = mapped_column(String(60), default="")
    model: Mapped[str] = mapped_column(String(200), default="")
    revision_number: Mapped[int] = mapped_column(Integer, default=0)
    api_key_id: Mapped[int] = mapped_column(BigId, default=0)
    mode: Mapped[str] = mapped_column(String(10), default="")


class RequestRollup(Model):
    """One hour of a series; the columns are those of a Tally (tallies.py).

    `hour` counts full hours since 1970, UTC. SQLite keeps them in the order of their key, so that
    a chart reads its hours one after the other; PostgreSQL has an index that tells how often was
    asked without the rows, which lie apart.
    """

    __tablename__ = "request_rollups"
    __table_args__ = (
        Index(
            "ix_request_rollups_outcomes",
            "series_id",
            "hour",
            postgresql_include=["answered", "refused", "cancelled", "failed"],
            info={"postgresql_only": True},
        ).ddl_if(dialect="postgresql"),
        {"sqlite_with_rowid": False},
    )

    series_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("usage_series.id", ondelete="CASCADE"), primary_key=True
    )
    hour: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    answered: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[int] = mapped_column(Integer, default=0)
    cancelled: Mapped[int] = mapped_column(Integer, default=0)
    failed: Mapped[int] = mapped_column(Integer, default=0)
    tokens_in: Mapped[int] = mapped_column(BigInteger, default=0)
    tokens_out: Mapped[int] = mapped_column(BigInteger, default=0)
    cost_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    latency_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    sessions: Mapped[int] = mapped_column(Integer, default=0)
    last_at: Mapped[datetime] = mapped_column(UTCDateTime)
    causes: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    latencies: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    first_tokens: Mapped[bytes] = mapped_column(LargeBinary, default=b"")


class RollupRebuild(TimestampedModel, BackgroundProgress):
    """A wish to count the closed hours from `first_hour` to `last_hour` anew, from the rows.

    `next_hour` is the next one to be counted; without an account it is about everybody's.
    """

    __tablename__ = "rollup_rebuilds"

    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    first_hour: Mapped[int] = mapped_column(Integer)
    last_hour: Mapped[int] = mapped_column(Integer)
    next_hour: Mapped[int] = mapped_column(Integer)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def percent(self) -> int:
        """How far it is, 0 to 100."""
        hours = self.last_hour - self.first_hour + 1
        return 100 if hours <= 0 else max(0, 100 * (self.next_hour - self.first_hour) // hours)
