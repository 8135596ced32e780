"""What holds for everybody of an account, with what the audit log tells of a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.accounts.models import Account

SETTINGS = ("company_name", "timezone", "currency", "requires_second_factor", "audit_days")


def change(account: Account, values: Mapping[str, Any], actor: Actor) -> None:
    """Set those of the values that are settings."""
    before = _told(account)
    for name in SETTINGS:
        if name in values:
            setattr(account, name, values[name])
    after = _told(account)
    if after != before:
        told = {"before": before, "after": after}
        audit.record(actor, "account_changed", account, name=account.company_name, **told)


def _told(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in SETTINGS}
