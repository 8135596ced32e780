"""OpenAI-compatible endpoints as data, and an account's key for one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account
from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime
from portal.llm_providers.catalogue import Vendor, vendor_at, vendor_named
from portal.providers.prices import NOTED_IN, Price, names_of, price_of

DEMO = "demo"


class Provider(BackgroundProgress, TimestampedModel):
    """An endpoint that an account may choose for its clients; `name` is what a client stores.

    A job tests its key: `check_state` is empty, running, works, unsure or failed.
    """

    __tablename__ = "providers"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    label: Mapped[str] = mapped_column(String(100), default="")
    base_url: Mapped[str] = mapped_column(String(2048))
    default_model: Mapped[str] = mapped_column(String(200), default="")
    models: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    check_state: Mapped[str] = mapped_column(String(10), default="")
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    found_models: Mapped[list[str]] = mapped_column(JSON, default=list)
    account: Mapped[Account] = relationship()
    credential: Mapped[ProviderCredential | None] = relationship(
        back_populates="provider", cascade="all, delete-orphan", passive_deletes=True
    )

    @property
    def is_demo(self) -> bool:
        return self.name == DEMO

    @property
    def vendor(self) -> Vendor | None:
        """What the catalogue knows of who listens there, or of a vendor of this name."""
        return vendor_at(self.base_url) or vendor_named(self.name)

    def price_of(self, model_name: str, currency: str) -> Price | None:
        """What counts for an account of this currency; the catalogue's only where it is dollars."""
        counts = self.vendor is not None and (self.vendor.is_free or currency == NOTED_IN)
        vendor_name = self.vendor.name if self.vendor and counts else ""
        return price_of(self.models, vendor_name, model_name)

    @property
    def model_names(self) -> list[str]:
        """Those that the account named, then those that the provider told at its last test."""
        named = [str(model["name"]) for model in self.models]
        return list(dict.fromkeys([*named, *self.found_models]))

    def most_tokens(self, model_name: str) -> int:
        """The longest answer that a model may give; 1,048,576 where it is not known."""
        return self.limit_of(model_name, "max_output_tokens") or 1_048_576

    def limit_of(self, model_name: str, field: str) -> int:
        """`context_tokens` or `max_output_tokens`, own before the catalogue's; 0 if unknown."""
        rows = {row["name"]: row for row in self.models}
        own = next((rows[name] for name in names_of(model_name) if name in rows), {})
        vendor = self.vendor
        known = vendor.first_of(names_of(model_name)) if vendor else None
        return int(own.get(field) or (getattr(known, field) if known else 0))


class ProviderCredential(TimestampedModel):
    """An account's key for a provider, sealed; only `hint` (its last four) is ever shown."""

    __tablename__ = "provider_credentials"

    provider_id: Mapped[int] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), unique=True
    )
    sealed_key: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(String(4), default="")
    provider: Mapped[Provider] = relationship(back_populates="credential")
