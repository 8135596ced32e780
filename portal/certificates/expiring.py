"""Certificates that run out because nobody could renew them: who has to be told, and what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select

from portal.certificates import seen, store
from portal.certificates.models import Certificate, CertificateOrder, SeenCertificate
from portal.database import db

MARKS = (14, 7, 3)  # days left
SHORT_LIVED_MARK = 1
EXPIRED = 0
ALL_MARKS = (*MARKS, SHORT_LIVED_MARK, EXPIRED)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class ExpiryWarning:
    """What a banner or a mail says of one certificate; `days_left` is 0 once it has expired."""

    name: str
    hosts: tuple[str, ...]
    not_after: datetime
    days_left: int
    trouble: str
    next_attempt_at: datetime | None

    @property
    def sentence(self) -> str:
        """`The certificate of chat.example.com expires in 6 days.`"""
        if self.days_left <= 0:
            return f"The certificate of {self.name} has expired."
        days = "1 day" if self.days_left == 1 else f"{self.days_left} days"
        return f"The certificate of {self.name} expires in {days}."


def marks_of(certificate: Certificate | SeenCertificate) -> tuple[int, ...]:
    """The days left at which somebody is told; none before it should have been renewed."""
    assert certificate.not_after and certificate.not_before  # noqa: S101, PT018 - issued
    third = (certificate.not_after - certificate.not_before) / 3
    marks = tuple(mark for mark in MARKS if mark * DAY < third)
    return (*(marks or (SHORT_LIVED_MARK,)), EXPIRED)


def reached(certificate: Certificate | SeenCertificate, now: datetime) -> int | None:
    """The last mark that this certificate has come to; None before the first."""
    assert certificate.not_after is not None  # noqa: S101 - issued
    left = certificate.not_after - now
    return min((mark for mark in marks_of(certificate) if left <= mark * DAY), default=None)


def untold(now: datetime, most: int) -> list[Certificate]:
    """Served certificates near their end of which nobody was told at this mark."""
    due = [
        and_(Certificate.not_after <= now + mark * DAY, Certificate.warned_days > mark)
        for mark in ALL_MARKS
    ]
    query = (
        select(Certificate)
        .where(Certificate.is_served, Certificate.revoked_at.is_(None))
        .where(Certificate.chain_pem != "", or_(*due))
        .order_by(Certificate.not_after)
        .limit(most)
    )
    return list(db.session.scalars(query))


def is_replaced(certificate: Certificate) -> bool:
    """A newer one is served, or nobody is served with it any more."""
    newest = store.newest(certificate.hostname)
    is_newest = newest is not None and newest.id == certificate.id
    return not is_newest or not store.is_wanted(certificate.hostname)


def warning_of(certificate: Certificate, now: datetime) -> ExpiryWarning:
    """The warning, with why there is no new certificate yet."""
    assert certificate.not_after is not None  # noqa: S101 - issued
    name = certificate.hostname
    order = db.session.scalar(select(CertificateOrder).where(CertificateOrder.name == name))
    return ExpiryWarning(
        name,
        tuple(store.hosts_of(name)),
        certificate.not_after,
        days_left(certificate, now),
        order.message if order is not None and order.reason else "",
        order.next_attempt_at if order is not None else None,
    )


def warnings(account_id: int, now: datetime) -> list[ExpiryWarning]:
    """What a banner of the account shows now, the soonest first."""
    query = (
        select(Certificate)
        .where(Certificate.account_id == account_id, Certificate.is_served)
        .where(Certificate.revoked_at.is_(None), Certificate.chain_pem != "")
        .where(Certificate.not_after <= now + max(MARKS) * DAY)
        .order_by(Certificate.not_after)
    )
    own = [
        warning_of(one, now)
        for one in db.session.scalars(query)
        if reached(one, now) is not None and not is_replaced(one)
    ]
    found = seen.near_their_end(account_id, now + max(MARKS) * DAY, now)
    others = [warning_of_seen(one, now) for one in found if reached(one, now) is not None]
    return sorted(own + others, key=lambda warning: warning.not_after)


def warning_of_seen(certificate: SeenCertificate, now: datetime) -> ExpiryWarning:
    """Of a certificate that somebody else should have renewed by the last look."""
    seen_at = f"{certificate.seen_at:%d %B %Y, %H:%M} UTC"
    return ExpiryWarning(
        certificate.hostname,
        (certificate.hostname,),
        certificate.not_after,
        days_left(certificate, now),
        f"It is renewed by {seen.keeper()}, which had not done so when we looked at {seen_at}.",
        certificate.next_attempt_at,
    )


def days_left(certificate: Certificate | SeenCertificate, now: datetime) -> int:
    """Whole days begun until its end; 0 once it has expired."""
    assert certificate.not_after is not None  # noqa: S101 - issued
    return max(0, math.ceil((certificate.not_after - now) / DAY))
