"""What people of an account were told, what each has seen, and how each wants to be told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.models import enum_column
from portal.database import BackgroundProgress, BigId, TimestampedModel, UTCDateTime
from portal.notices.kinds import Kind, Level, Way


class Notice(TimestampedModel):
    """Something that happened and that people are told, written in the transaction of it.

    For the whole account, or for `user_id` alone. `path` is the page to look at. Notices of one
    `damping_key` are told a few times in an hour; a later one is held until `held_until` and then
    gathered with its like into one (`gathered` says of how many). `once_key` is unique in the
    account: what is told a second time under it is not told. `concerned`: ids of people.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("account_id", "once_key"),
        Index("ix_notices_account_id_id", "account_id", "id"),
        Index("ix_notices_account_id_damping_key", "account_id", "damping_key", "created_at"),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[Kind] = mapped_column(enum_column(Kind, "notice_kind", checked=False))
    level: Mapped[Level] = mapped_column(enum_column(Level, "notice_level", checked=False))
    subject: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(String(255))
    object_type: Mapped[str] = mapped_column(String(40), default="")
    object_id: Mapped[int | None] = mapped_column(BigId)
    object_name: Mapped[str] = mapped_column(String(255), default="")
    damping_key: Mapped[str] = mapped_column(String(120), default="")
    once_key: Mapped[str | None] = mapped_column(String(120))
    held_until: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    gathered: Mapped[int] = mapped_column(Integer, default=0)
    concerned: Mapped[list[int]] = mapped_column(JSON, default=list)


class NoticeReader(TimestampedModel):
    """How far a person has read the notices of an account: all up to `seen_to` are seen."""

    __tablename__ = "notice_readers"
    __table_args__ = (UniqueConstraint("user_id", "account_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    seen_to: Mapped[int] = mapped_column(BigId, default=0)


class SeenNotice(TimestampedModel):
    """One notice that a person has seen, beyond what `NoticeReader` says."""

    __tablename__ = "seen_notices"
    __table_args__ = (UniqueConstraint("user_id", "notice_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), index=True)


class NoticePreference(TimestampedModel):
    """How a person wants to be told of a kind, everywhere; without a row the default holds."""

    __tablename__ = "notice_preferences"
    __table_args__ = (UniqueConstraint("user_id", "kind"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[Kind] = mapped_column(enum_column(Kind, "preferred_kind", checked=False))
    way: Mapped[Way] = mapped_column(enum_column(Way, "notice_way", checked=False))


class NoticeRound(BackgroundProgress, TimestampedModel):
    """Work that comes again by itself (portal/notifications/rounds.py), and when it is next due."""

    __tablename__ = "notice_rounds"

    name: Mapped[str] = mapped_column(String(40), unique=True)
