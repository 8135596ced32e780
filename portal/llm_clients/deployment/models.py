"""A run of background work on a client, and its timeline."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import User, enum_column
from portal.database import BackgroundProgress, TimestampedModel, UTCDateTime
from portal.llm_clients.models import LLMClient, LLMClientRevision


class Deployment(BackgroundProgress, TimestampedModel):
    """One run: putting a client on its hosts, or taking it off. One is active per client and scope.

    The hosts on the platform's domain and those on the customer's own never wait for each other.
    """

    __tablename__ = "deployments"
    __table_args__ = (
        Index(
            "uq_deployments_active_llm_client_id_scope",
            "llm_client_id",
            "scope",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        Index("ix_deployments_llm_client_id_id", "llm_client_id", "id"),
        Index(
            "ix_deployments_not_notified_finished_at",
            "finished_at",
            sqlite_where=text("notified_at IS NULL"),
            postgresql_where=text("notified_at IS NULL"),
        ),
    )

    class Kinds(StrEnum):
        DEPLOY = "deploy"
        UNDEPLOY = "undeploy"
        DELETE = "delete"

    class States(StrEnum):
        ACTIVE = "active"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Scopes(StrEnum):
        DEFAULT = "default"
        CUSTOM = "custom"

    llm_client_id: Mapped[int] = mapped_column(ForeignKey("llm_clients.id", ondelete="CASCADE"))
    scope: Mapped[Scopes] = mapped_column(
        enum_column(Scopes, "scope", checked=False), default=Scopes.DEFAULT
    )
    kind: Mapped[Kinds] = mapped_column(enum_column(Kinds, "kind"))
    state: Mapped[States] = mapped_column(enum_column(States, "state"), default=States.ACTIVE)
    plan: Mapped[list[str]] = mapped_column(JSON, default=list)
    revision_id: Mapped[int | None] = mapped_column(
        ForeignKey("llm_client_revisions.id", ondelete="SET NULL")
    )
    started_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    started_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    notified_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    reason: Mapped[str] = mapped_column(String(60), default="")
    who_acts: Mapped[str] = mapped_column(String(20), default="")
    llm_client: Mapped[LLMClient] = relationship()
    revision: Mapped[LLMClientRevision | None] = relationship()
    started_by: Mapped[User | None] = relationship()
    events: Mapped[list[ProgressEvent]] = relationship(
        back_populates="deployment", order_by="ProgressEvent.id", passive_deletes=True
    )

    @property
    def is_custom(self) -> bool:
        """Whether it is about the hosts on the customer's own domain."""
        return self.scope == self.Scopes.CUSTOM

    @property
    def is_active(self) -> bool:
        return self.state == self.States.ACTIVE


class ProgressEvent(TimestampedModel):
    """What happened in one attempt at one step."""

    __tablename__ = "progress_events"

    deployment_id: Mapped[int] = mapped_column(
        ForeignKey("deployments.id", ondelete="CASCADE"), index=True
    )
    step: Mapped[str] = mapped_column(String(40))
    attempt: Mapped[int] = mapped_column(Integer)
    result: Mapped[str] = mapped_column(String(10))
    message: Mapped[str] = mapped_column(String(1000))
    reason: Mapped[str] = mapped_column(String(60), default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    deployment: Mapped[Deployment] = relationship(back_populates="events")
