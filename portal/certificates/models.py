"""Certificates that we own; the TLS edge asks for them by host name at each handshake."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import TimestampedModel, UTCDateTime


class Certificate(TimestampedModel):
    """One host's certificate: chain, sealed key, dates. Revoked ones are no longer served."""

    __tablename__ = "certificates"

    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    hostname: Mapped[str] = mapped_column(String(253), index=True)
    issuer_kind: Mapped[str] = mapped_column(String(20), default="local")
    chain_pem: Mapped[str] = mapped_column(Text, default="")
    sealed_key: Mapped[str] = mapped_column(Text, default="")
    issuer: Mapped[str] = mapped_column(String(255), default="")
    serial: Mapped[str] = mapped_column(String(64), default="")
    not_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    not_after: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    order_state: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    def is_good(self, now: datetime) -> bool:
        """Issued, not revoked, within its dates."""
        if not self.chain_pem or self.revoked_at or not self.not_before or not self.not_after:
            return False
        return self.not_before <= now < self.not_after
