"""What a client may know or call: static data, an HTTP interface, a database."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.accounts.models import enum_column
from portal.database import TimestampedModel


class Plugin(TimestampedModel):
    """A source of knowledge that an account attaches to its clients."""

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
