"""The head of each chain of the audit log, and what the portal's own look at the chain found."""

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


class AuditCheck(TimestampedModel, BackgroundProgress):
    """What the portal saw when it held a chain against its seals, a few seconds at a time.

    A round goes from the beginning to the end; it has come to the place `checked_to` and is due
    to go on at `next_attempt_at`. `whole_at` is when one last came to the end and found all as it
    was written. `problem` is a sentence, empty where there is none; it was first seen at
    `problem_at`, and superusers are told of it once.
    """

    __tablename__ = "audit_checks"

    number: Mapped[int] = mapped_column(BigId, unique=True)
    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    checked_to: Mapped[int] = mapped_column(BigId, default=0)
    whole_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    problem: Mapped[str] = mapped_column(Text, default="")
    problem_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    seen_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
