"""Who owns things: accounts, people, their roles, their sessions, and what they did."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_login import UserMixin
from sqlalchemy import (
    JSON,
    Boolean,
    Enum,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.database import BigId, TimestampedModel, UTCDateTime


def new_account_number() -> str:
    """A random `####-####-####`."""
    digits = f"{secrets.randbelow(10**12):012d}"
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def enum_column(choices: type[StrEnum], name: str, *, checked: bool = True) -> Enum:
    """Stored as the words themselves, checked by the database.

    Not `checked` where the column joined a table later: SQLite adds no constraint to a table.
    """
    return Enum(
        choices,
        name=name,
        native_enum=False,
        length=20,
        create_constraint=checked,
        values_callable=lambda found: [choice.value for choice in found],
    )


class Role(StrEnum):
    """What a person may do in one account, from most to least."""

    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class Account(TimestampedModel):
    """A customer of the portal; everything below it starts from here."""

    __tablename__ = "accounts"

    account_number: Mapped[str] = mapped_column(String(14), unique=True, default=new_account_number)
    company_name: Mapped[str] = mapped_column(String(255))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    currency: Mapped[str] = mapped_column(String(3), default="USD")
    language: Mapped[str] = mapped_column(String(8), default="en")
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    requires_second_factor: Mapped[bool] = mapped_column(
        Boolean, default=False, server_default=false()
    )
    request_bodies_days: Mapped[int] = mapped_column(Integer, default=30)
    request_rows_days: Mapped[int] = mapped_column(Integer, default=396)
    audit_days: Mapped[int] = mapped_column(Integer, default=400, server_default="400")
    redaction: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    admin_profile_id: Mapped[int | None] = mapped_column(
        ForeignKey("user_profiles.id", ondelete="SET NULL", use_alter=True)
    )
    admin_profile: Mapped[UserProfile | None] = relationship(
        foreign_keys=[admin_profile_id], post_update=True
    )


class User(UserMixin, TimestampedModel):
    """A person who signs in; may have profiles in several accounts."""

    __tablename__ = "users"

    username: Mapped[str] = mapped_column(String(63), unique=True)
    email: Mapped[str] = mapped_column(String(254), default="", index=True)
    password_hash: Mapped[str] = mapped_column(String(255), default="")
    is_superuser: Mapped[bool] = mapped_column(Boolean, default=False)
    is_enabled: Mapped[bool] = mapped_column("is_active", Boolean, default=True)
    theme: Mapped[str] = mapped_column(String(5), default="")
    # While the password is one that the portal has made; it opens nothing from then on.
    first_password_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    profiles: Mapped[list[UserProfile]] = relationship(back_populates="user")

    session_token = ""  # of the session by which this user was loaded; never stored

    @property
    def is_active(self) -> bool:
        return self.is_enabled

    def get_id(self) -> str:
        """What the cookie holds: the token of one session, not the user's key."""
        return self.session_token


class UserProfile(TimestampedModel):
    """A user's place in one account."""

    __tablename__ = "user_profiles"
    __table_args__ = (UniqueConstraint("user_id", "account_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[Role] = mapped_column(enum_column(Role, "role"), default=Role.MEMBER)
    # Who left keeps the row, because clients and their host names are called after it.
    removed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    # Of a superuser who looks in; counted as nobody's admin.
    is_guest: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    user: Mapped[User] = relationship(back_populates="profiles", lazy="joined")
    account: Mapped[Account] = relationship(foreign_keys=[account_id], lazy="joined")

    @property
    def is_account_admin(self) -> bool:
        """Whether this is *the* account admin, of whom an account has exactly one.

        It names hosts and gives no right, so it stays with whoever it was first.
        """
        return self.account.admin_profile_id == self.id

    @property
    def may_edit(self) -> bool:
        return self.role in (Role.ADMIN, Role.MEMBER)


class UserSession(TimestampedModel):
    """One signed-in browser. The cookie holds the token, this row only its SHA-256."""

    __tablename__ = "user_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    last_seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    address: Mapped[str] = mapped_column(String(45), default="")
    user_agent: Mapped[str] = mapped_column(String(255), default="")
    # The account that was looked at last. No foreign key: SQLite would make the table anew.
    account_id: Mapped[int | None] = mapped_column(BigId)
    user: Mapped[User] = relationship(lazy="joined")


class SignInAttempt(TimestampedModel):
    """A failed sign-in, counted by name and by address."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (Index("ix_sign_in_attempts_bucket_created_at", "bucket", "created_at"),)

    bucket: Mapped[str] = mapped_column(String(80))


class AuditEvent(TimestampedModel):
    """Who changed what, when, from where; secrets are masked before they come here.

    `sequence` is its place in the chain of its account, None until it is sealed, 0 if it was not
    written by the portal; `seal` is its mark before, and its link of the chain after that.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_account_id_id", "account_id", "id"),
        Index("ix_audit_events_account_id_created_at", "account_id", "created_at", "id"),
        Index("ix_audit_events_account_id_object", "account_id", "object_type", "object_id", "id"),
        Index("ix_audit_events_account_id_sequence", "account_id", "sequence"),
        Index(
            "ix_audit_events_unsealed",
            "account_id",
            sqlite_where=text("sequence IS NULL"),
            postgresql_where=text("sequence IS NULL"),
        ),
    )

    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    action: Mapped[str] = mapped_column(String(60))
    object_type: Mapped[str] = mapped_column(String(40), default="")
    object_id: Mapped[int | None] = mapped_column(BigId)
    object_name: Mapped[str] = mapped_column(String(255), default="")
    address: Mapped[str] = mapped_column(String(45), default="")
    by: Mapped[str] = mapped_column(String(10), default="form")
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    sequence: Mapped[int | None] = mapped_column(BigId)
    seal: Mapped[str] = mapped_column(String(64), default="", server_default="")
