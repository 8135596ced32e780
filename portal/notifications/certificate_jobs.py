"""Telling an account's admins that a certificate runs out; once for each mark."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import update

from portal.certificates import expiring, seen
from portal.certificates.expiring import EXPIRED, ExpiryWarning
from portal.certificates.models import Certificate, SeenCertificate
from portal.certificates.signals import certificate_expired
from portal.database import db, utc_now
from portal.job_queue import Ring, job, job_name, ring_key, sweep
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News, tell

MOST_AT_ONCE = 100


@sweep
def certificates_that_run_out(now: datetime) -> Iterator[Ring]:
    """Certificates that came to a mark of which nobody was told."""
    for certificate in expiring.untold(now, MOST_AT_ONCE):
        mark = expiring.reached(certificate, now)
        if mark is not None and mark < certificate.warned_days and certificate.not_after:
            due_at = certificate.not_after - timedelta(days=mark)
            key = ring_key(certificate.id, mark, due_at, now)
            yield Ring(job_name(tell_of_expiry), (certificate.id,), key)


@job
def tell_of_expiry(certificate_id: int) -> None:
    """Tell of it, in the transaction that says that it was done."""
    now = utc_now()
    certificate = db.session.get(Certificate, certificate_id)
    mark = expiring.reached(certificate, now) if certificate is not None else None
    if certificate is None or mark is None or not _is_first(certificate, mark):
        db.session.rollback()
        return
    if expiring.is_replaced(certificate):
        if mark == EXPIRED:
            db.session.delete(certificate)  # of no use to anybody any more
    else:
        warning = expiring.warning_of(certificate, now)
        _tell(certificate, warning, now)
        if mark == EXPIRED:
            certificate_expired.send(Certificate, hosts=warning.hosts, now=now)
    db.session.commit()


@sweep
def seen_certificates_that_run_out(now: datetime) -> Iterator[Ring]:
    """The same of certificates that somebody else keeps, as far as they are seen."""
    for certificate in seen.near_a_mark(expiring.ALL_MARKS, MOST_AT_ONCE, now):
        mark = expiring.reached(certificate, now)
        if mark is not None and mark < certificate.warned_days:
            due_at = certificate.not_after - timedelta(days=mark)
            key = ring_key(certificate.id, mark, due_at, now)
            yield Ring(job_name(tell_of_seen_expiry), (certificate.id,), key)


@job
def tell_of_seen_expiry(seen_id: int) -> None:
    """Look once more if the last look is long ago; tell of what is still near its end then."""
    now = utc_now()
    certificate = db.session.get(SeenCertificate, seen_id)
    mark = expiring.reached(certificate, now) if certificate is not None else None
    if certificate is None or mark is None:
        db.session.rollback()
    elif not seen.is_news_fresh(certificate, now):
        certificate.next_attempt_at = now
        db.session.commit()
    elif _is_first(certificate, mark):
        _tell(certificate, expiring.warning_of_seen(certificate, now), now)
        db.session.commit()
    else:
        db.session.rollback()


def _is_first(certificate: Certificate | SeenCertificate, mark: int) -> bool:
    """Whether nobody was told of this mark, or of a later one."""
    table = type(certificate)
    taken = db.session.execute(
        update(table)
        .where(table.id == certificate.id, table.warned_days > mark)
        .values(warned_days=mark)
        .execution_options(synchronize_session=False)
    )
    return int(taken.rowcount) == 1


def _tell(
    certificate: Certificate | SeenCertificate, warning: ExpiryWarning, now: datetime
) -> None:
    if certificate.account_id is None:
        return
    news = News(
        kind=Kind.CERTIFICATE_EXPIRING,
        level=Level.BAD if warning.days_left <= 0 else Level.LOOK,
        subject=warning.sentence.removesuffix("."),
        text=_text(warning, "look" if isinstance(certificate, SeenCertificate) else "attempt"),
        path="/",
        about=certificate,
        name=certificate.hostname,
    )
    tell(certificate.account_id, news, now)


def _text(warning: ExpiryWarning, what_is_next: str) -> str:
    hosts = "\n".join(f"  {host}" for host in warning.hosts)
    why = warning.trouble or "It has not been renewed yet, though it should have been."
    again = warning.next_attempt_at
    next_try = f"\nThe next {what_is_next} is on {again:%d %B %Y, %H:%M} UTC." if again else ""
    until = f"{warning.not_after:%d %B %Y, %H:%M} UTC"
    return (
        f"{warning.sentence} It is valid until {until}.\n\n"
        f"{why}{next_try}\n\n"
        f"Visitors of these hosts are warned by their browsers from then on:\n{hosts}"
    )
