"""Rows of the ways in: invitations, links that are sent by mail, second factors."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account, Role, User, UserProfile, enum_column
from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime


class Invitation(TimestampedModel):
    """One place in an account for whoever reads the mails of an address; used once."""

    __tablename__ = "invitations"
    __table_args__ = (Index("ix_invitations_account_id_id", "account_id", "id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role] = mapped_column(enum_column(Role, "invited_role"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    account: Mapped[Account] = relationship(lazy="joined")
    invited_by: Mapped[User | None] = relationship(lazy="joined")


class Purpose(StrEnum):
    """What a link that was sent by mail does."""

    PASSWORD = "password"  # noqa: S105 - a purpose
    MAIL = "mail"


class OneTimeLink(TimestampedModel):
    """A link for one person: a new password, or another mail address (`email`). Used once.

    `bound_to` is a digest of what the link was made for; when that has changed, it is dead.
    """

    __tablename__ = "one_time_links"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[Purpose] = mapped_column(enum_column(Purpose, "link_purpose"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    bound_to: Mapped[str] = mapped_column(String(64))
    email: Mapped[str] = mapped_column(String(254), default="")
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship(lazy="joined")


class PasswordWish(BackgroundProgress, TimestampedModel):
    """Somebody wants a new password for a name or an address, known or not.

    The page only notes it, so that its answer takes as long for nobody as for somebody; a job
    looks who it is, and deletes the row.
    """

    __tablename__ = "password_wishes"

    typed: Mapped[str] = mapped_column(String(254))
    address: Mapped[str] = mapped_column(String(45), default="")


class TotpFactor(TimestampedModel):
    """The key of a person's authenticator app, sealed. It counts from `confirmed_at` on."""

    __tablename__ = "totp_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    sealed_key: Mapped[str] = mapped_column(Text, default="")
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)  # of the code that was used last


class RecoveryCode(TimestampedModel):
    """One way in without the app, stored as a hash and used once."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class Passkey(TimestampedModel):
    """A key pair of a person's device (WebAuthn); we have its public half.

    `user_handle` is what devices call the person: random, the same for all keys of one person.
    """

    __tablename__ = "passkeys"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    credential_hash: Mapped[str] = mapped_column(String(64), unique=True)
    credential_id: Mapped[str] = mapped_column(Text)
    public_key: Mapped[str] = mapped_column(Text)
    user_handle: Mapped[str] = mapped_column(String(100))
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user: Mapped[User] = relationship(lazy="joined")


class PersonalToken(TimestampedModel):
    """What a person's programs present to the API: their place in one account, until it is over.

    Only the prefix and a hash are kept. Without `may_write` it reads.
    """

    __tablename__ = "personal_tokens"

    user_profile_id: Mapped[int] = mapped_column(
        ForeignKey("user_profiles.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(60))
    prefix: Mapped[str] = mapped_column(String(24), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    may_write: Mapped[bool] = mapped_column(Boolean, default=False)
    expires_at: Mapped[datetime] = mapped_column(UTCDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    profile: Mapped[UserProfile] = relationship(lazy="joined")


class UsedChallenge(TimestampedModel):
    """A challenge that a passkey has answered: an answer that was overheard is worth nothing."""

    __tablename__ = "used_challenges"

    challenge_hash: Mapped[str] = mapped_column(String(64), unique=True)


class ExternalIdentity(TimestampedModel):
    """A person as another portal knows them: found by issuer and subject, never by address."""

    __tablename__ = "external_identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    issuer: Mapped[str] = mapped_column(String(255))
    subject: Mapped[str] = mapped_column(String(255))
    user: Mapped[User] = relationship(lazy="joined")
