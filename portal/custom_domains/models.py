"""A customer's own domain and the records that prove and route it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account
from portal.database import TimestampedModel


class LLMClientCustomDomain(TimestampedModel):
    """A domain that an account claims. Many may claim a name, one may hold it (`is_verified`)."""

    __tablename__ = "llm_client_custom_domains"
    __table_args__ = (
        UniqueConstraint("account_id", "domain_name"),
        Index(
            "uq_llm_client_custom_domains_verified_domain_name",
            "domain_name",
            unique=True,
            sqlite_where=text("is_verified"),
            postgresql_where=text("is_verified"),
        ),
    )

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    domain_name: Mapped[str] = mapped_column(String(253))
    is_verified: Mapped[bool] = mapped_column(Boolean, default=False)
    zone_editor: Mapped[str] = mapped_column(String(20), default="manual")
    zone_editor_settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    verification_token: Mapped[str] = mapped_column(String(64), default="")
    check_results: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    account: Mapped[Account] = relationship()


class LLMClientCustomDomainDNS(TimestampedModel):
    """One record that a domain or a client needs, and what was found in its place."""

    __tablename__ = "llm_client_custom_domain_dns"
    __table_args__ = (UniqueConstraint("custom_domain_id", "record_name", "record_type"),)

    custom_domain_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_client_custom_domains.id", ondelete="CASCADE")
    )
    record_name: Mapped[str] = mapped_column(String(253))
    record_type: Mapped[str] = mapped_column(String(10))
    record_value: Mapped[str] = mapped_column(String(2048))
    record_ttl: Mapped[int] = mapped_column(Integer, default=300)
    found: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    published_by: Mapped[str] = mapped_column(String(20), default="manual")
    custom_domain: Mapped[LLMClientCustomDomain | None] = relationship()
