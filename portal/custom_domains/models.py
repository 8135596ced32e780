"""A customer's own domain and the records that prove and route it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account, User, enum_column
from portal.database import JOINED_LATER, BackgroundProgress, TimestampedModel, UTCDateTime


class LLMClientCustomDomain(BackgroundProgress, TimestampedModel):
    """A domain that an account claims. Many may claim a name, one may hold it (`is_verified`).

    `next_attempt_at` is when it is looked at again, `watched_since` what the pace is counted from,
    `failing_since` the first of `failure_count` definite failures without a success between.
    """

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

    class States(StrEnum):
        """`paused`: nobody looked for 14 days in vain; `removing`: until its hosts are gone."""

        PENDING = "pending"
        VERIFIED = "verified"
        AT_RISK = "at_risk"
        PAUSED = "paused"
        REMOVING = "removing"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    domain_name: Mapped[str] = mapped_column(String(253))
    is_verified: Mapped[bool] = mapped_column(Boolean, default=False)
    state: Mapped[States] = mapped_column(
        enum_column(States, "state", checked=False), default=States.PENDING
    )
    zone_editor: Mapped[str] = mapped_column(String(20), default="manual")
    zone_editor_settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    sealed_settings: Mapped[str] = mapped_column(Text, default="")
    verification_token: Mapped[str] = mapped_column(String(64), default="")
    check_results: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    zone_name: Mapped[str] = mapped_column(String(253), default="")
    wants_wildcard: Mapped[bool] = mapped_column(Boolean, default=False)
    wants_delegation: Mapped[bool] = mapped_column(Boolean, default=False)
    challenge_label: Mapped[str] = mapped_column(String(32), default="")
    setup_link_generation: Mapped[int] = mapped_column(Integer, default=1)
    added_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL", info=JOINED_LATER)
    )
    watched_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    verified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    check_asked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failing_since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    failure_count: Mapped[int] = mapped_column(Integer, default=0)
    account: Mapped[Account] = relationship()
    added_by: Mapped[User | None] = relationship()
    events: Mapped[list[CustomDomainEvent]] = relationship(
        back_populates="custom_domain", order_by="CustomDomainEvent.id", passive_deletes=True
    )
    dns_records: Mapped[list[LLMClientCustomDomainDNS]] = relationship(
        back_populates="custom_domain",
        order_by="LLMClientCustomDomainDNS.id",
        passive_deletes=True,
    )


class LLMClientCustomDomainDNS(TimestampedModel):
    """One record that a domain or a client needs, and what was found in its place.

    `host` is the client's host that a routing record is for, empty for the domain's own records.
    """

    __tablename__ = "llm_client_custom_domain_dns"
    __table_args__ = (UniqueConstraint("custom_domain_id", "record_name", "record_type"),)

    class Purposes(StrEnum):
        OWNERSHIP = "ownership"
        ROUTING = "routing"
        WILDCARD = "wildcard"
        DELEGATION = "delegation"

    custom_domain_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_client_custom_domains.id", ondelete="CASCADE")
    )
    purpose: Mapped[Purposes] = mapped_column(
        enum_column(Purposes, "purpose", checked=False), default=Purposes.ROUTING
    )
    host: Mapped[str] = mapped_column(String(253), default="")
    is_required: Mapped[bool] = mapped_column(Boolean, default=True)
    record_name: Mapped[str] = mapped_column(String(253))
    record_type: Mapped[str] = mapped_column(String(10))
    record_value: Mapped[str] = mapped_column(String(2048))
    record_ttl: Mapped[int] = mapped_column(Integer, default=300)
    found: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    published_by: Mapped[str] = mapped_column(String(20), default="manual")
    custom_domain: Mapped[LLMClientCustomDomain | None] = relationship(back_populates="dns_records")


class CustomDomainEvent(TimestampedModel):
    """A line of a domain's timeline: what changed, in one sentence, and why."""

    __tablename__ = "custom_domain_events"

    custom_domain_id: Mapped[int] = mapped_column(
        ForeignKey("llm_client_custom_domains.id", ondelete="CASCADE"), index=True
    )
    verdict: Mapped[str] = mapped_column(String(20), default="")
    reason: Mapped[str] = mapped_column(String(60), default="")
    message: Mapped[str] = mapped_column(String(1000))
    custom_domain: Mapped[LLMClientCustomDomain] = relationship(back_populates="events")


class CustomDomainTombstone(TimestampedModel):
    """A name that an account held until it was removed or lost; kept for 30 days as a memory.

    Whoever wants it next proves it with a token of his own, never by routing alone.
    """

    __tablename__ = "custom_domain_tombstones"

    domain_name: Mapped[str] = mapped_column(String(253), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    kept_until: Mapped[datetime] = mapped_column(UTCDateTime, index=True)
