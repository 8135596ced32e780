"""Sealed values that no key of ours opens any more: which they are, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, select

from portal.database import db
from portal.vault import rotation
from portal.vault.sealing import Sealer, SealError

# By column: what it is called, which column tells it from its like, and what brings it back.
PLACES = {
    "secrets.sealed": ("Secret", "name", "Enter it again under Secrets."),
    "provider_credentials.sealed_key": (
        "Key of the provider",
        "name",
        "Enter it again under Providers.",
    ),
    "plugins.sealed_secret": ("Secret of the plugin", "name", "Enter it again under Plugins."),
    "llm_client_custom_domains.sealed_settings": (
        "Zone editor of the domain",
        "domain_name",
        "Enter its settings again on the domain’s page.",
    ),
    "webhooks.sealed_secret": (
        "Secret of the webhook",
        "name",
        "Rotate it on the webhook’s page, and tell the program.",
    ),
    "webhooks.sealed_old_secret": (
        "Former secret of the webhook",
        "name",
        "Nothing is to be done: the newer one signs.",
    ),
    "webhooks.sealed_authorization": (
        "Authorization header of the webhook",
        "name",
        "Enter it again on the webhook’s page.",
    ),
    "certificates.sealed_key": (
        "Key of the certificate for",
        "hostname",
        "Undeploy and deploy the client, so that another one is ordered.",
    ),
    "certificate_orders.sealed_state": (
        "Order of a certificate for",
        "name",
        "Delete the row: the order begins again.",
    ),
    "authority_accounts.sealed_key": (
        "Account at the certificate authority",
        "directory",
        "Delete the row: the portal registers again with the next order.",
    ),
    "audit_chains.sealed_key": (
        "Key of the audit log",
        "number",
        "Begin the chain anew: verify-audit-log ACCOUNT_NUMBER --begin-anew, or --platform.",
    ),
    "totp_factors.sealed_key": (
        "Authenticator app of",
        "username",
        "Take it away, so that the person can set it up again: remove-second-factor USERNAME.",
    ),
    "mails.sealed_text": (
        "Letter",
        "subject",
        "It cannot leave any more: make the link or the invitation again.",
    ),
}
# What a row says by itself, or the row that it belongs to.
OWNERS = {"provider_id": "providers", "user_id": "users", "account_id": "accounts"}


@dataclass(frozen=True)
class Lost:
    """One value: what it is, whose, where it is stored, and what to do."""

    what: str
    account_number: str
    place: str
    advice: str

    @property
    def sentence(self) -> str:
        """A line for the operator; nothing in it is secret."""
        whose = f" of account {self.account_number}" if self.account_number else ""
        return f"{self.what}{whose} ({self.place}): {self.advice}"


def find(connection: Connection, sealer: Sealer) -> tuple[int, list[Lost]]:
    """How many values need an older key that we have, and those that open with none."""
    needed, lost = 0, []
    for column in rotation.sealed_columns():
        for row_id, sealed in rotation.older_values(connection, column, sealer):
            if _opens(sealer, sealed):
                needed += 1
            else:
                lost.append(_described(connection, column, row_id))
    return needed, lost


def _opens(sealer: Sealer, sealed: str) -> bool:
    try:
        sealer.sealed_anew(sealed)
    except SealError:
        return False
    return True


def _described(connection: Connection, column: Column[Any], row_id: int) -> Lost:
    kind, name, advice = PLACES.get(str(column), (str(column), "id", "Enter it again."))
    known = dict(_known(connection, column.table.name, row_id))
    told = f"{kind} {known.get(name, row_id)}"
    place = f"{column.table.name}, row {row_id}"
    return Lost(told, str(known.get("account_number", "")), place, advice)


def _known(connection: Connection, table_name: str, row_id: int) -> Iterator[tuple[str, Any]]:
    """Columns of a row and of the rows that it belongs to, the nearest last."""
    table = db.metadata.tables[table_name]
    row = connection.execute(select(table).where(table.c.id == row_id)).mappings().first()
    if row is None:
        return
    for column, owner in OWNERS.items():
        if row.get(column) is not None:
            yield from _known(connection, owner, row[column])
    yield from row.items()
