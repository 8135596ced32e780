"""What the API has answered to a request that its program may send again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import TimestampedModel


class ApiReplay(TimestampedModel):
    """A request with an Idempotency-Key; `status` is 0 until its answer is known.

    It is stored with what the request did, in one commit. `answer` has no secrets.
    """

    __tablename__ = "api_replays"
    __table_args__ = (UniqueConstraint("personal_token_id", "key"),)

    personal_token_id: Mapped[int] = mapped_column(
        ForeignKey("personal_tokens.id", ondelete="CASCADE")
    )
    key: Mapped[str] = mapped_column(String(100))
    asked_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer, default=0)
    location: Mapped[str] = mapped_column(String(300), default="")
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON)
