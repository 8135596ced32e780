"""What a client may know or call: static data, an HTTP interface, a database."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import enum_column
from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime


class Plugin(TimestampedModel):
    """A source of knowledge that an account attaches to its clients.

    `content` is what its kind describes; its one secret is `sealed_secret`, empty without one.
    """

    __tablename__ = "plugins"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    class Kinds(StrEnum):
        STATIC = "static"
        API = "api"
        SQL = "sql"

    class Selectors(StrEnum):
        ALWAYS = "always"
        SEARCH_TERMS = "search_terms"
        LLM = "llm"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text, default="")
    kind: Mapped[Kinds] = mapped_column(enum_column(Kinds, "kind"))
    selector: Mapped[Selectors] = mapped_column(
        enum_column(Selectors, "selector"), default=Selectors.ALWAYS
    )
    content: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    search_terms: Mapped[list[str]] = mapped_column(JSON, default=list)
    sealed_secret: Mapped[str] = mapped_column(Text, default="")


class PluginTest(BackgroundProgress, TimestampedModel):
    """The last test of a plugin: with which values, and what came of it. One row for a plugin.

    `state` is running, works or failed.
    """

    __tablename__ = "plugin_tests"

    plugin_id: Mapped[int] = mapped_column(
        ForeignKey("plugins.id", ondelete="CASCADE"), unique=True
    )
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[str] = mapped_column(String(10), default="")
    result: Mapped[str] = mapped_column(Text, default="")
    is_cut: Mapped[bool] = mapped_column(Boolean, default=False)
    milliseconds: Mapped[int] = mapped_column(Integer, default=0)
    tested_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    plugin: Mapped[Plugin] = relationship()
