"""Lists of requests under a name."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import UserProfile
from portal.database import TimestampedModel


class SavedView(TimestampedModel):
    """Filters and columns of the list of requests; `query` is what its address says."""

    __tablename__ = "saved_views"
    __table_args__ = (Index("ix_saved_views_account_id_name", "account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    user_profile_id: Mapped[int] = mapped_column(
        ForeignKey("user_profiles.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    is_shared: Mapped[bool] = mapped_column(Boolean, default=False)
    user_profile: Mapped[UserProfile] = relationship()
