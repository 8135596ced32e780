"""Certificates that we own, what is under way to get them, and who we are for an authority."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime

NOT_WARNED = 10_000


class Certificate(TimestampedModel):
    """One name's certificate: chain, sealed key, dates. Served ones are asked for by the edge.

    `hostname` is a host, or `*.` and what the hosts of an account end with. `warned_days` is the
    smallest number of days left of which the account was told. `order_state` is not used any more.
    """

    __tablename__ = "certificates"

    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    hostname: Mapped[str] = mapped_column(String(253), index=True)
    issuer_kind: Mapped[str] = mapped_column(String(20), default="local")
    chain_pem: Mapped[str] = mapped_column(Text, default="")
    sealed_key: Mapped[str] = mapped_column(Text, default="")
    issuer: Mapped[str] = mapped_column(String(255), default="")
    serial: Mapped[str] = mapped_column(String(64), default="")
    not_before: Mapped[datetime | None] = mapped_column(UTCDateTime)
    not_after: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    order_state: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    is_served: Mapped[bool] = mapped_column(Boolean, default=True)
    warned_days: Mapped[int] = mapped_column(Integer, default=NOT_WARNED)

    def is_good(self, now: datetime) -> bool:
        """Issued, not revoked, within its dates."""
        if not self.chain_pem or self.revoked_at or not self.not_before or not self.not_after:
            return False
        return self.not_before <= now < self.not_after


class SeenCertificate(BackgroundProgress, TimestampedModel):
    """What a host's certificate was when we last saw one there; somebody else keeps and renews it.

    `seen_at` is when; `message` what the last look said, also where it showed no certificate.
    `warned_days` as in `Certificate`, of the certificate that was seen.
    """

    __tablename__ = "seen_certificates"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    hostname: Mapped[str] = mapped_column(String(253), unique=True)
    issuer: Mapped[str] = mapped_column(String(255))
    serial: Mapped[str] = mapped_column(String(64))
    not_before: Mapped[datetime] = mapped_column(UTCDateTime)
    not_after: Mapped[datetime] = mapped_column(UTCDateTime)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    warned_days: Mapped[int] = mapped_column(Integer, default=NOT_WARNED)


class SharedCertificateHost(TimestampedModel):
    """A host that is served with a certificate of another name: its account's wildcard."""

    __tablename__ = "shared_certificate_hosts"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    hostname: Mapped[str] = mapped_column(String(253), unique=True)
    certificate_name: Mapped[str] = mapped_column(String(253), index=True)


class CertificateOrder(BackgroundProgress, TimestampedModel):
    """The life of one name's certificate: the order under way, else when to look again.

    `holder` says who advances it while `leased_until` lasts; `failures` counts refusals since the
    last success. `detail` is the authority's own words; `renew_at` when it will be replaced.
    `asked_line`: the ledger's line of an order that was asked for and has no answer yet.
    """

    __tablename__ = "certificate_orders"

    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(253), unique=True)
    holder: Mapped[str] = mapped_column(String(60), default="")
    sealed_state: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(String(60), default="")
    detail: Mapped[str] = mapped_column(Text, default="")
    failures: Mapped[int] = mapped_column(Integer, default=0)
    renew_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    asked_line: Mapped[int | None] = mapped_column(BigInteger)


class OpenChallenge(TimestampedModel):
    """A proof that an authority may ask a host for, as long as the order is open."""

    __tablename__ = "open_challenges"
    __table_args__ = (UniqueConstraint("host", "token"),)

    certificate_name: Mapped[str] = mapped_column(String(253), index=True)
    host: Mapped[str] = mapped_column(String(253))
    token: Mapped[str] = mapped_column(String(128))
    content: Mapped[str] = mapped_column(String(255))


class AuthorityAccountRow(TimestampedModel):
    """Who we are at one directory; the key is sealed for that directory."""

    __tablename__ = "authority_accounts"

    directory: Mapped[str] = mapped_column(String(500), unique=True)
    sealed_key: Mapped[str] = mapped_column(Text)
    uri: Mapped[str] = mapped_column(String(500), default="")


class CertificateAttempt(TimestampedModel):
    """A line of the ledger: something that an authority counts against its limits."""

    __tablename__ = "certificate_attempts"
    __table_args__ = (
        Index("ix_certificate_attempts_kind_name_created_at", "kind", "name", "created_at"),
        Index(
            "ix_certificate_attempts_kind_registrable_created_at",
            "kind",
            "registrable",
            "created_at",
        ),
    )

    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(253))
    registrable: Mapped[str] = mapped_column(String(253))
