"""The outbox: mails are rows first, and leave when a server takes them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.adapters import current_adapters
from portal.database import JOINED_LATER, BackgroundProgress, TimestampedModel, UTCDateTime


class Mail(BackgroundProgress, TimestampedModel):
    """One mail to one person. Without a mail server, or without an address, it stays here.

    `text` is what the account's people may read. Where the letter carries a secret link, the whole
    of it is in `sealed_text` until it has left (portal/people/letters.py). `notice_id` is what it
    tells of, where it came from a notice (portal/notices/telling.py).
    """

    __tablename__ = "mails"
    __table_args__ = (Index("ix_mails_account_id_id", "account_id", "id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    to_address: Mapped[str] = mapped_column(String(254), default="")
    subject: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    sealed_text: Mapped[str] = mapped_column(Text, default="", server_default="")
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    notice_id: Mapped[int | None] = mapped_column(
        ForeignKey("notices.id", ondelete="SET NULL", info=JOINED_LATER), index=True
    )
    user: Mapped[User | None] = relationship(lazy="joined")


def mail_to(person: User, account_id: int, subject: str, text: str, now: datetime) -> Mail:
    """It stays in the outbox where no server takes mails or no address is known."""
    can_leave = bool(person.email and current_adapters().mail_sender)
    return Mail(
        account_id=account_id,
        user_id=person.id,
        to_address=person.email,
        subject=subject[:255],
        text=text,
        next_attempt_at=now if can_leave else None,
    )
