"""The thing itself: an LLM client, as the mission describes it, and what hangs on it."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account, User, UserProfile, enum_column
from portal.custom_domains.models import LLMClientCustomDomain, LLMClientCustomDomainDNS
from portal.database import JOINED_LATER, Model, TimestampedModel, UTCDateTime
from portal.llm_clients import hostnames
from portal.llm_clients.addresses import Addresses
from portal.llm_clients.cached_lookups import CachedLookups
from portal.llm_clients.system_role import enhanced
from portal.plugins.models import Plugin
from portal.vault.models import AuthToken

PUBLIC_ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


def new_hashed_id() -> str:
    """20 random characters that begin with a letter, so that they are never taken for a number."""
    rest = "".join(secrets.choice(PUBLIC_ID_LETTERS) for _ in range(19))
    return secrets.choice(PUBLIC_ID_LETTERS[:24]) + rest


class Tag(TimestampedModel):
    """A word by which an account sorts its clients."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))


tagged_items = Table(
    "tagged_items",
    Model.metadata,
    Column("llm_client_id", ForeignKey("llm_clients.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class LLMClient(Addresses, CachedLookups, TimestampedModel):
    """A named chat client: model, role, limits, branding, and where it can be reached.

    The columns hold the newest revision; visitors are served the published one.
    """

    __tablename__ = "llm_clients"
    __table_args__ = (
        UniqueConstraint("user_profile_id", "name"),
        Index("ix_llm_clients_account_id_name", "account_id", "name"),
        CheckConstraint("default_temperature BETWEEN 0 AND 2", name="temperature_range"),
        CheckConstraint("default_max_tokens >= 1", name="max_tokens_positive"),
    )

    class DnsVerificationStatusChoices(StrEnum):
        """Whether the client's hosts point to us, as the portal saw it."""

        VERIFYING = "Verifying"
        NOT_VERIFIED = "Not Verified"
        VERIFIED = "Verified"
        FAILED = "Failed"

    class TlsCertificateIssuanceStatusChoices(StrEnum):
        """Where the client's certificate stands."""

        NO_CERTIFICATE = "No Certificate"
        REQUESTED = "Requested"
        ISSUED = "Issued"
        FAILED = "Failed"

    class Schemes:
        HTTP = "http"
        HTTPS = "https"

    Modes = hostnames.Mode
    is_quiet = False  # set by save(asynchronous=True): this object's changes send no signals

    hashed_id: Mapped[str] = mapped_column(String(32), unique=True, default=new_hashed_id)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    user_profile_id: Mapped[int] = mapped_column(
        ForeignKey("user_profiles.id", ondelete="RESTRICT")
    )
    subdomain_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_client_custom_domain_dns.id", ondelete="SET NULL"), unique=True
    )
    custom_domain_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_client_custom_domains.id", ondelete="SET NULL"), index=True
    )
    uses_bare_domain: Mapped[bool] = mapped_column(Boolean, default=False)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[str] = mapped_column(String(64), default="1.0.0")
    annotations: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    deployed: Mapped[bool] = mapped_column(Boolean, default=False)
    provider: Mapped[str] = mapped_column(String(60), default="demo")
    default_model: Mapped[str] = mapped_column(String(200), default="")
    fallback_provider: Mapped[str] = mapped_column(String(60), default="")
    fallback_model: Mapped[str] = mapped_column(String(200), default="")
    default_system_role: Mapped[str] = mapped_column(Text, default="")
    default_temperature: Mapped[float] = mapped_column(Float, default=0.5)
    default_max_tokens: Mapped[int] = mapped_column(Integer, default=2048)
    app_name: Mapped[str] = mapped_column(String(255), default="")
    app_assistant: Mapped[str] = mapped_column(String(255), default="")
    app_welcome_message: Mapped[str] = mapped_column(Text, default="")
    app_example_prompts: Mapped[list[str]] = mapped_column(JSON, default=list)
    app_placeholder: Mapped[str] = mapped_column(String(255), default="")
    app_info_url: Mapped[str] = mapped_column(String(2048), default="")
    app_background_image_url: Mapped[str] = mapped_column(String(2048), default="")
    app_logo_url: Mapped[str] = mapped_column(String(2048), default="")
    app_logo_upload: Mapped[str] = mapped_column(String(64), default="", server_default="")
    app_background_upload: Mapped[str] = mapped_column(String(64), default="", server_default="")
    app_file_attachment: Mapped[bool] = mapped_column(Boolean, default=False)
    dns_verification_status: Mapped[DnsVerificationStatusChoices] = mapped_column(
        enum_column(DnsVerificationStatusChoices, "dns_verification_status"),
        default=DnsVerificationStatusChoices.NOT_VERIFIED,
    )
    tls_certificate_issuance_status: Mapped[TlsCertificateIssuanceStatusChoices] = mapped_column(
        enum_column(TlsCertificateIssuanceStatusChoices, "tls_certificate_issuance_status"),
        default=TlsCertificateIssuanceStatusChoices.NO_CERTIFICATE,
    )
    published_revision_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_client_revisions.id", ondelete="SET NULL", use_alter=True)
    )
    newest_revision_number: Mapped[int] = mapped_column(Integer, default=0)
    allowed_origins: Mapped[list[str]] = mapped_column(JSON, default=list)

    user_profile: Mapped[UserProfile] = relationship(lazy="joined")
    account: Mapped[Account] = relationship()
    subdomain: Mapped[LLMClientCustomDomainDNS | None] = relationship()
    custom_domain: Mapped[LLMClientCustomDomain | None] = relationship(lazy="joined")
    tags: Mapped[list[Tag]] = relationship(secondary=tagged_items, order_by=Tag.name)
    revisions: Mapped[list[LLMClientRevision]] = relationship(
        back_populates="llm_client",
        foreign_keys="LLMClientRevision.llm_client_id",
        passive_deletes=True,
    )
    published_revision: Mapped[LLMClientRevision | None] = relationship(
        foreign_keys=[published_revision_id], post_update=True
    )
    llmclientapikey_set: Mapped[list[LLMClientAPIKey]] = relationship(
        back_populates="llm_client", passive_deletes=True
    )
    llmclientfunctions_set: Mapped[list[LLMClientFunctions]] = relationship(
        back_populates="llm_client", cascade="all, delete-orphan", passive_deletes=True
    )
    llmclientplugin_set: Mapped[list[LLMClientPlugin]] = relationship(
        back_populates="llm_client", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def default_system_role_enhanced(self) -> str:
        """What the model receives now: date and time in the account's zone, then the role."""
        return enhanced(self.default_system_role, self.now(), self.account.timezone)

    @property
    def ready(self) -> bool:
        """In the sandbox always; else deployed, DNS verified and the certificate issued."""
        return self.mode(self.url) == self.Modes.SANDBOX or self.is_open

    @property
    def is_open(self) -> bool:
        """Whether visitors on its hosts are answered."""
        return (
            self.deployed
            and self.dns_verification_status == self.DnsVerificationStatusChoices.VERIFIED
            and self.tls_certificate_issuance_status
            == self.TlsCertificateIssuanceStatusChoices.ISSUED
        )

    @property
    def is_authentication_required(self) -> bool:
        """Whether a caller needs an API key: when a valid one is attached."""
        now = self.now()
        return any(entry.api_key.is_valid(now) for entry in self.llmclientapikey_set)

    @property
    def is_public(self) -> bool:
        return not self.is_authentication_required

    @property
    def function_names(self) -> list[str]:
        return sorted(str(entry.name) for entry in self.llmclientfunctions_set if entry.is_on)

    @property
    def has_unpublished_changes(self) -> bool:
        published = self.published_revision
        return published is None or published.number != self.newest_revision_number

    def get_dns_verification_status_display(self) -> str:
        return self.dns_verification_status.value

    def get_tls_certificate_issuance_status_display(self) -> str:
        return self.tls_certificate_issuance_status.value


class LLMClientRevision(TimestampedModel):
    """A snapshot of a client's configuration; never changed."""

    __tablename__ = "llm_client_revisions"
    __table_args__ = (UniqueConstraint("llm_client_id", "number"),)

    llm_client_id: Mapped[int] = mapped_column(ForeignKey("llm_clients.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(String(255), default="")
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    author: Mapped[User | None] = relationship()
    llm_client: Mapped[LLMClient] = relationship(
        back_populates="revisions", foreign_keys=[llm_client_id]
    )


class LLMClientHost(TimestampedModel):
    """A host name that belongs to an account: in use, going out of use, or kept as a tombstone.

    Without `custom_domain_id` it lies on the platform's own domain.
    `is_published`: a record or certificate of ours may exist; `is_open`: visitors are answered.
    """

    __tablename__ = "llm_client_hosts"

    class States(StrEnum):
        CURRENT = "current"
        LEAVING = "leaving"
        TOMBSTONE = "tombstone"

    hostname: Mapped[str] = mapped_column(String(253), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    llm_client_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_clients.id", ondelete="SET NULL"), index=True
    )
    state: Mapped[States] = mapped_column(enum_column(States, "state"), default=States.CURRENT)
    is_published: Mapped[bool] = mapped_column(Boolean, default=False)
    is_open: Mapped[bool] = mapped_column(Boolean, default=False)
    kept_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    custom_domain_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_client_custom_domains.id", ondelete="SET NULL", info=JOINED_LATER),
        index=True,
    )
    llm_client: Mapped[LLMClient | None] = relationship()
    custom_domain: Mapped[LLMClientCustomDomain | None] = relationship()


class LLMClientAPIKey(TimestampedModel):
    """A key opens the clients that it is attached to, and nothing else."""

    __tablename__ = "llm_client_api_keys"
    __table_args__ = (UniqueConstraint("llm_client_id", "api_key_id"),)

    llm_client_id: Mapped[int] = mapped_column(ForeignKey("llm_clients.id", ondelete="CASCADE"))
    api_key_id: Mapped[int] = mapped_column(
        ForeignKey("auth_tokens.id", ondelete="CASCADE"), index=True
    )
    llm_client: Mapped[LLMClient] = relationship(back_populates="llmclientapikey_set")
    api_key: Mapped[AuthToken] = relationship(lazy="joined")


class LLMClientFunctions(TimestampedModel):
    """A built-in function that the model may call."""

    __tablename__ = "llm_client_functions"
    __table_args__ = (UniqueConstraint("llm_client_id", "name"),)

    class Choices(StrEnum):
        GET_CURRENT_WEATHER = "get_current_weather"
        DATE_CALCULATOR = "date_calculator"
        CALCULATOR = "calculator"

    llm_client_id: Mapped[int] = mapped_column(ForeignKey("llm_clients.id", ondelete="CASCADE"))
    name: Mapped[Choices] = mapped_column(enum_column(Choices, "name"))
    is_on: Mapped[bool] = mapped_column(Boolean, default=True)
    llm_client: Mapped[LLMClient] = relationship(back_populates="llmclientfunctions_set")


class LLMClientPlugin(TimestampedModel):
    """A plugin attached to a client, in order, on or off."""

    __tablename__ = "llm_client_plugins"
    __table_args__ = (UniqueConstraint("llm_client_id", "plugin_id"),)

    llm_client_id: Mapped[int] = mapped_column(ForeignKey("llm_clients.id", ondelete="CASCADE"))
    plugin_id: Mapped[int] = mapped_column(ForeignKey("plugins.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(Integer, default=0)
    is_on: Mapped[bool] = mapped_column(Boolean, default=True)
    llm_client: Mapped[LLMClient] = relationship(back_populates="llmclientplugin_set")
    plugin: Mapped[Plugin] = relationship()
