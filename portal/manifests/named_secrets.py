"""Secrets by their name: a manifest names one, and its value goes where the form would take it."""

from __future__ import annotations

from sqlalchemy import select

from portal.database import db
from portal.manifests.kind_errors import Refused
from portal.vault import current_sealer
from portal.vault.models import Secret


def belongs_to(secret: Secret) -> str:
    """What a named secret is sealed for."""
    return f"secret/{secret.account_id}/{secret.id}"


def opened(account_id: int, name: str, field: str) -> str:
    """The value of the account's secret. Raises Refused where there is none, SealError."""
    query = select(Secret).where(Secret.account_id == account_id, Secret.name == name)
    found = db.session.scalar(query)
    if found is None:
        raise Refused(field, f"The account has no secret named {name[:100]}.")
    return current_sealer().open(found.sealed, belongs_to=belongs_to(found))
