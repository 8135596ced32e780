"""What an account keeps of its history, and changing that: from the commit on."""

from __future__ import annotations

from typing import Any

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.accounts.models import Account
from portal.history_keeping.forms import KeepingForm
from portal.request_history import redaction


def change(account: Account, form: KeepingForm, actor: Actor) -> None:
    """Take over a checked form, with its event."""
    before = _content(account)
    account.request_bodies_days = form.bodies_days.data
    account.request_rows_days = form.rows_days.data
    account.redaction = redaction.stored(form.kinds.data or [], form.own_words)
    audit.record(actor, "keeping changed", account, before=before, after=_content(account))


def _content(account: Account) -> dict[str, Any]:
    return {
        "bodies_days": account.request_bodies_days,
        "rows_days": account.request_rows_days,
        "redaction": account.redaction,
    }
