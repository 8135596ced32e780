"""Our own ledger of what an authority counts, so that its limits are not found out by refusals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from publicsuffixlist import PublicSuffixList
from sqlalchemy import Delete, Update, delete, select, update

from portal.certificates.authority_limits import LIMITS, LONGEST_WINDOW, ORDER, Limit
from portal.certificates.models import CertificateAttempt
from portal.database import db

KEPT = LONGEST_WINDOW + timedelta(days=1)


@dataclass(frozen=True)
class LimitUse:
    """How much of a limit is used; `frees_at`: when there is room again, if there is none now."""

    key: str
    label: str
    used: int
    most: int
    window: timedelta
    is_ours: bool
    frees_at: datetime | None

    @property
    def is_reached(self) -> bool:
        return self.frees_at is not None


def registrable(name: str) -> str:
    """The part of a name that is bought from a registrar: `example.co.uk` of `a.b.example.co.uk`.

    The name itself where the list of public suffixes knows none, or the name is one.
    """
    plain = name.removeprefix("*.")
    return _suffixes().privatesuffix(plain) or plain


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def note(kind: str, account_id: int | None, name: str, now: datetime) -> CertificateAttempt:
    """Write a line; lines that no limit looks at any more go."""
    row = CertificateAttempt(kind=kind, account_id=account_id, name=name)
    row.registrable = registrable(name)
    row.created_at = now
    db.session.add(row)
    old = delete(CertificateAttempt).where(CertificateAttempt.created_at < now - KEPT)
    db.session.execute(old.execution_options(synchronize_session=False))
    return row


def note_before_asking(account_id: int | None, name: str, now: datetime) -> int:
    """Write an order's line before the authority is asked, to be committed first; its number.

    Whoever dies before the answer is stored leaves the line: too much is counted, never too little.
    """
    row = note(ORDER, account_id, name, now)
    db.session.flush()
    return row.id


def confirm(line: int, now: datetime) -> None:
    """The authority counts the order, from about now on."""
    _change(update(CertificateAttempt).where(CertificateAttempt.id == line).values(created_at=now))


def cross_off(line: int) -> None:
    """The authority's answer says that it made no order."""
    _change(delete(CertificateAttempt).where(CertificateAttempt.id == line))


def _change(statement: Update | Delete) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))


def uses(
    account_id: int | None, name: str, now: datetime, *, is_renewal: bool = False
) -> list[LimitUse]:
    """Every limit that an order for this name counts against."""
    return [_use_of(limit, account_id, name, now, is_renewal) for limit in LIMITS]


def reached(
    account_id: int | None, name: str, now: datetime, *, is_renewal: bool = False
) -> LimitUse | None:
    """The limit that lets us wait longest, if any has no room; renewals may use the reserve."""
    full = [one for one in uses(account_id, name, now, is_renewal=is_renewal) if one.frees_at]
    return max(full, key=lambda one: one.frees_at or now, default=None)


def _use_of(
    limit: Limit, account_id: int | None, name: str, now: datetime, is_renewal: bool
) -> LimitUse:
    query = (
        select(CertificateAttempt.created_at)
        .where(CertificateAttempt.kind == limit.counted)
        .where(CertificateAttempt.created_at > now - limit.window)
        .order_by(CertificateAttempt.created_at.desc())
        .limit(limit.most)
    )
    times = list(db.session.scalars(query.where(*_whose(limit, account_id, name))))
    room = limit.most if is_renewal else limit.most - limit.reserve
    frees_at = times[room - 1] + limit.window if len(times) >= room else None
    label = limit.label.format(name=name, registrable=registrable(name))
    return LimitUse(limit.key, label, len(times), limit.most, limit.window, limit.is_ours, frees_at)


def _whose(limit: Limit, account_id: int | None, name: str) -> list[Any]:
    if limit.scope == "registrable":
        return [CertificateAttempt.registrable == registrable(name)]
    if limit.scope == "name":
        return [CertificateAttempt.name == name]
    if limit.scope == "account":
        return [CertificateAttempt.account_id == account_id]
    return []
