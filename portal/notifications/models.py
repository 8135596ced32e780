"""The outbox: mails are rows first, and leave when a server takes them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime


class Mail(BackgroundProgress, TimestampedModel):
    """One mail to one person. Without a mail server, or without an address, it stays here."""

    __tablename__ = "mails"
    __table_args__ = (Index("ix_mails_account_id_id", "account_id", "id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    to_address: Mapped[str] = mapped_column(String(254), default="")
    subject: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User | None] = relationship(lazy="joined")
