"""Storing limits, with what the audit log tells of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, update

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.accounts.models import Account
from portal.database import db
from portal.limits import finding
from portal.limits.models import BudgetUse, Limits, SubjectKinds
from portal.limits.serving import BUDGETS

COLUMNS = (
    "address_rate",
    "session_rate",
    "key_rate",
    "concurrent",
    "day_tokens",
    "day_micros",
    "month_tokens",
    "month_micros",
    "reached_words",
    "cheaper_provider",
    "cheaper_model",
)


def _begin_marks_anew(account: Account, kind: SubjectKinds, subject_id: int) -> None:
    """Another budget has other marks: who reaches 80% of it is told once more."""
    db.session.execute(
        update(BudgetUse)
        .where(BudgetUse.account_id == account.id)
        .where(BudgetUse.kind == kind, BudgetUse.subject_id == subject_id)
        .values(level=0, told_level=0)
    )


def values_of(found: Limits | None) -> dict[str, Any]:
    """The columns as a form begins with them."""
    return {name: getattr(found, name) for name in COLUMNS} if found else {}


def _or(value: Any, empty: Any) -> Any:
    """A column of a new row has no value yet."""
    return empty if value is None else value


def store(
    account: Account,
    kind: SubjectKinds,
    subject: Any,
    values: dict[str, Any],
    actor: Actor,
) -> bool:
    """Set these limits of a client, a key or the account; whether anything changed. Not committed.

    They hold from the next prompt on, in every process.
    """
    found = finding.made(account, kind, subject.id)
    before = {name: getattr(found, name) for name in values}
    empty = {name: "" if isinstance(values[name], str) else None for name in values}
    changed = [name for name in values if values[name] != _or(before[name], empty[name])]
    for name, value in values.items():
        setattr(found, name, value)
    if not changed:
        return False
    if set(changed) & set(BUDGETS):
        _begin_marks_anew(account, kind, subject.id)
    audit.record(
        actor,
        "limits_changed",
        subject,
        before={name: before[name] for name in changed},
        after={name: values[name] for name in changed},
    )
    return True


def forget(kind: SubjectKinds, subject_id: int) -> None:
    """A subject is deleted: nobody who gets its number inherits its limits. Not committed."""
    for model in (Limits, BudgetUse):
        db.session.execute(delete(model).where(model.kind == kind, model.subject_id == subject_id))
