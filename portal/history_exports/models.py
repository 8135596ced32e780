"""Requests that somebody wants as a file."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User, enum_column
from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime


class RequestExport(TimestampedModel, BackgroundProgress):
    """A file of an account's requests, written newest first and kept for a day.

    `filters` are those of a list's address without the range, which is fixed: from `starts_at`
    until before `ends_at`. Requests with a number below `cursor` are still to come; the first
    `bytes_written` octets of the file hold all the others, and what is beyond them is thrown away.
    """

    __tablename__ = "request_exports"

    class Formats(StrEnum):
        """What the file is."""

        CSV = "csv"
        JSONL = "jsonl"

    class States(StrEnum):
        """Only what is being written or ready has a file."""

        WRITING = "writing"
        READY = "ready"
        CANCELLED = "cancelled"
        FAILED = "failed"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    format: Mapped[Formats] = mapped_column(enum_column(Formats, "format"))
    state: Mapped[States] = mapped_column(enum_column(States, "state"), default=States.WRITING)
    filters: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    label: Mapped[str] = mapped_column(String(255), default="")
    starts_at: Mapped[datetime] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    cursor: Mapped[int] = mapped_column(BigInteger)
    rows_written: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes_written: Mapped[int] = mapped_column(BigInteger, default=0)
    expected_rows: Mapped[int | None] = mapped_column(BigInteger)
    file_name: Mapped[str] = mapped_column(String(80))
    restarts: Mapped[int] = mapped_column(Integer, default=0)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User | None] = relationship()

    @property
    def has_file(self) -> bool:
        """Whether its file is wanted."""
        return self.state in WITH_FILE


WITH_FILE = (RequestExport.States.WRITING, RequestExport.States.READY)
