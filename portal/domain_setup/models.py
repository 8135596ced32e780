"""The test of a zone editor's settings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime


class ZoneEditorTest(BackgroundProgress, TimestampedModel):
    """Whether a domain's editor may write into its zone. One row for a domain.

    `state` is running, works or failed; `zone_editor` is the kind that was tried.
    """

    __tablename__ = "zone_editor_tests"

    custom_domain_id: Mapped[int] = mapped_column(
        ForeignKey("llm_client_custom_domains.id", ondelete="CASCADE"), unique=True
    )
    zone_editor: Mapped[str] = mapped_column(String(20), default="")
    state: Mapped[str] = mapped_column(String(10), default="")
    result: Mapped[str] = mapped_column(String(1000), default="")
    tested_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    custom_domain: Mapped[LLMClientCustomDomain] = relationship()
