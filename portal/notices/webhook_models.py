"""Webhooks: addresses of programs that are told what happened, and each telling."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime

TEST = "test"


class Webhook(TimestampedModel):
    """An address of an account that wants some kinds of notices.

    The secret that signs is sealed for this row and shown once. After a rotation the one before
    signs too until `old_secret_until`. `sealed_authorization` is the header that a receiver wants,
    empty without one. `failing_since` is the first attempt that failed with no
    success since, `failures` how many did; `off_reason` says why the portal switched it off.
    """

    __tablename__ = "webhooks"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(2000))
    kinds: Mapped[list[str]] = mapped_column(JSON, default=list)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    sealed_secret: Mapped[str] = mapped_column(Text, default="")
    sealed_old_secret: Mapped[str] = mapped_column(Text, default="")
    sealed_authorization: Mapped[str] = mapped_column(Text, default="")
    old_secret_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failing_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failures: Mapped[int] = mapped_column(Integer, default=0)
    off_reason: Mapped[str] = mapped_column(String(255), default="")


class WebhookDelivery(BackgroundProgress, TimestampedModel):
    """One message to one webhook, as it is sent: `body` stays the same at each attempt.

    `message_id` is its `webhook-id`. `status` is the HTTP status of the last answer (None: there
    was none), `answer` its first octets, `milliseconds` how long it took.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (Index("ix_webhook_deliveries_webhook_id_id", "webhook_id", "id"),)

    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    notice_id: Mapped[int | None] = mapped_column(
        ForeignKey("notices.id", ondelete="SET NULL"), index=True
    )
    kind: Mapped[str] = mapped_column(String(20))
    message_id: Mapped[str] = mapped_column(String(40), unique=True)
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[int | None] = mapped_column(Integer)
    answer: Mapped[str] = mapped_column(String(500), default="")
    milliseconds: Mapped[int | None] = mapped_column(Integer)
    delivered_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    webhook: Mapped[Webhook] = relationship(lazy="joined")
