"""What must not be seen: named secrets (encrypted) and API keys (hashed)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User
from portal.database import BigId, TimestampedModel, UTCDateTime


class Secret(TimestampedModel):
    """A named value that is sealed on the way in and never shown again, but for `hint`, its last
    four characters (named.py)."""

    __tablename__ = "secrets"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    sealed: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(String(4), default="", server_default="")


class AuthToken(TimestampedModel):
    """An API key: its public prefix and the SHA-256 of its secret. Shown once, when made."""

    __tablename__ = "auth_tokens"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    prefix: Mapped[str] = mapped_column(String(24), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(100))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    # The key that this one was rotated to. No foreign key: SQLite would make the table anew.
    replaced_by_id: Mapped[int | None] = mapped_column(BigId)
    created_by: Mapped[User | None] = relationship()

    def is_valid(self, now: datetime) -> bool:
        return self.is_active and (self.expires_at is None or self.expires_at > now)
