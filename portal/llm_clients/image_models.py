"""Images that an account uploaded for the chat pages of its clients."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import TimestampedModel


class ClientImage(TimestampedModel):
    """An image as we made it anew; revisions name it by the SHA-256 of these octets.

    `source_sha256` is of the file that it was drawn from, "" where that is not known.
    """

    __tablename__ = "client_images"
    __table_args__ = (UniqueConstraint("account_id", "sha256"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    sha256: Mapped[str] = mapped_column(String(64))
    source_sha256: Mapped[str] = mapped_column(String(64), default="", server_default="")
    media_type: Mapped[str] = mapped_column(String(20))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
