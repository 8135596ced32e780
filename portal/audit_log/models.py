"""The head of each chain of the audit log: how far it goes, and where it begins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import BackgroundProgress, BigId, TimestampedModel, UTCDateTime

PLATFORM = 0


class AuditChain(TimestampedModel, BackgroundProgress):
    """One for each account, and one (`number` 0) for what belongs to none.

    `sequence` and `seal` are those of the newest sealed event; `anchor_…` those of the last one
    that retention removed. Events up to the number `unmarked_to` are older than marks. `mac` holds
    all of this together, so that nobody moves the head by hand. The job that is due at
    `next_attempt_at` removes what is older than the account keeps.
    """

    __tablename__ = "audit_chains"

    number: Mapped[int] = mapped_column(BigId, unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    sealed_key: Mapped[str] = mapped_column(Text)
    unmarked_to: Mapped[int] = mapped_column(BigId, default=0)
    sequence: Mapped[int] = mapped_column(BigId, default=0)
    seal: Mapped[str] = mapped_column(String(64), default="")
    anchor_sequence: Mapped[int] = mapped_column(BigId, default=0)
    anchor_seal: Mapped[str] = mapped_column(String(64), default="")
    anchor_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mac: Mapped[str] = mapped_column(String(64), default="")
