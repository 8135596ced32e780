"""How API keys read in lists: what they open, how they stand, what replaces what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.formatting import READY, StatusView, status_view
from portal.llm_clients.key_attaching import ClientName, clients_by_key
from portal.vault import keys
from portal.vault.models import AuthToken

SOON = timedelta(days=7)

ACTIVE = StatusView(READY.token, "Active", READY.icon)
EXPIRES_SOON = status_view("attention", "Expires soon")
BEING_REPLACED = status_view("attention", "Being replaced")
REPLACED = status_view("off", "Replaced")
REVOKED = status_view("off", "Revoked")
EXPIRED = status_view("failed", "Expired")


@dataclass(frozen=True)
class KeyRow:
    """One key of a list."""

    key: AuthToken
    status: StatusView
    is_valid: bool
    clients: list[ClientName]
    replaced_by: AuthToken | None
    replaces: AuthToken | None


def status_of(key: AuthToken, now: datetime) -> StatusView:
    """How a key stands; a rotated one says so as long as it works, and after."""
    if key.is_valid(now):
        if key.replaced_by_id is not None:
            return BEING_REPLACED
        ends_soon = key.expires_at is not None and key.expires_at - now < SOON
        return EXPIRES_SOON if ends_soon else ACTIVE
    if key.replaced_by_id is not None:
        return REPLACED
    return EXPIRED if key.is_active else REVOKED


def rows(found: list[AuthToken], now: datetime) -> list[KeyRow]:
    """A row for each key, in two queries."""
    clients = clients_by_key(found)
    newer, older = keys.related(found)
    return [
        KeyRow(
            key=key,
            status=status_of(key, now),
            is_valid=key.is_valid(now),
            clients=clients[key.id],
            replaced_by=newer.get(key.id),
            replaces=older.get(key.id),
        )
        for key in found
    ]
