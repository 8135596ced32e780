"""What may be used of a client, a key or an account, and how much of it was used."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.models import enum_column
from portal.database import BackgroundProgress, BigId, TimestampedModel, UTCDateTime


class SubjectKinds(StrEnum):
    """What a limit or a budget is for."""

    ACCOUNT = "account"
    CLIENT = "client"
    KEY = "key"


class Limits(TimestampedModel):
    """The limits that somebody set for one subject; None leaves the default of `defaults.py`.

    Rates are prompts a minute, budgets tokens and micro-units of the account's currency.
    """

    __tablename__ = "limits"
    __table_args__ = (UniqueConstraint("kind", "subject_id"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[SubjectKinds] = mapped_column(enum_column(SubjectKinds, "kind"))
    subject_id: Mapped[int] = mapped_column(BigId)
    address_rate: Mapped[int | None] = mapped_column(Integer)
    session_rate: Mapped[int | None] = mapped_column(Integer)
    key_rate: Mapped[int | None] = mapped_column(Integer)
    concurrent: Mapped[int | None] = mapped_column(Integer)
    day_tokens: Mapped[int | None] = mapped_column(BigInteger)
    day_micros: Mapped[int | None] = mapped_column(BigInteger)
    month_tokens: Mapped[int | None] = mapped_column(BigInteger)
    month_micros: Mapped[int | None] = mapped_column(BigInteger)
    reached_words: Mapped[str] = mapped_column(Text, default="")
    cheaper_provider: Mapped[str] = mapped_column(String(60), default="")
    cheaper_model: Mapped[str] = mapped_column(String(200), default="")


class BudgetUse(BackgroundProgress, TimestampedModel):
    """What a subject used in one day or month of the account's time zone.

    `tokens` and `micros` are settled, the reserved ones belong to prompts under way. `level` is the
    highest of 0, 80 and 100 percent that was reached, `told_level` the one that the account's
    people were told of.
    """

    __tablename__ = "budget_uses"
    __table_args__ = (UniqueConstraint("kind", "subject_id", "period", "starts_on"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[int] = mapped_column(BigId)
    period: Mapped[str] = mapped_column(String(5))
    starts_on: Mapped[str] = mapped_column(String(10))
    tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    micros: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved_micros: Mapped[int] = mapped_column(BigInteger, default=0)
    level: Mapped[int] = mapped_column(Integer, default=0)
    told_level: Mapped[int] = mapped_column(Integer, default=0)


class BudgetReservation(TimestampedModel):
    """What a prompt under way may use at most; given back by its end, or when it expires.

    An advance (advances.py) is one row for several prompts, which shrinks with each that ends.
    `uses` are the numbers of the BudgetUse rows that have it in their sums.
    """

    __tablename__ = "budget_reservations"
    __table_args__ = (Index("ix_budget_reservations_expires_at", "expires_at"),)

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    request_id: Mapped[str] = mapped_column(String(40), unique=True)
    uses: Mapped[list[Any]] = mapped_column(JSON)
    tokens: Mapped[int] = mapped_column(BigInteger)
    micros: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
