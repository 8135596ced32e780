"""What looks after the history: what is due in each account, and what somebody wants erased."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.models import enum_column
from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime


class HistoryUpkeep(TimestampedModel, BackgroundProgress):
    """The looking after an account's history; without an account, after the tables themselves."""

    __tablename__ = "history_upkeeps"

    account_id: Mapped[int | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), unique=True
    )


class HistoryErasure(TimestampedModel, BackgroundProgress):
    """A wish to erase what a session, a visitor or a client was asked; `subject` is forgotten too.

    `subject` is the session's key, the visitor's hash or the client's id; `label` is what the page
    calls it. `erased` counts requests.
    """

    __tablename__ = "history_erasures"

    class Kinds(StrEnum):
        """Whose requests are erased."""

        SESSION = "session"
        VISITOR = "visitor"
        CLIENT = "client"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    kind: Mapped[Kinds] = mapped_column(enum_column(Kinds, "kind"))
    subject: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(255), default="")
    erased: Mapped[int] = mapped_column(Integer, default=0)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
