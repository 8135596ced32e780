"""Who acts without being signed in: whoever follows a link that was sent to them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LinkActor:
    """The reader of a mail, as the audit log sees them."""

    account_id: int | None
    user_id: int | None
    address: str
    by: str = "link"
