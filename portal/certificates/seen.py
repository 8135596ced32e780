"""Certificates that somebody else keeps, as a handshake showed them: seen, never known."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select

from portal.certificates.models import NOT_WARNED, SeenCertificate
from portal.database import current_settings, db
from portal.tls.probe import Probe

KEEPERS = {"edge": "the TLS edge", "cert_manager": "cert-manager"}
LOOK_EVERY = timedelta(days=1)
FRESH = timedelta(hours=1)


def keeper() -> str:
    """Who keeps and renews the certificates of this portal; empty: the portal itself."""
    return KEEPERS.get(current_settings().issuer, "")


def keep(account_id: int, hostname: str, probe: Probe, now: datetime) -> None:
    """Remember what was shown; a handshake without a certificate says nothing about the last."""
    if not probe.serial or probe.not_before is None or probe.not_after is None:
        return
    row = of_host(hostname) or SeenCertificate(hostname=hostname)
    if row.serial != probe.serial:
        row.warned_days = NOT_WARNED
    row.account_id = account_id
    row.issuer, row.serial = probe.issuer[:255], probe.serial
    row.not_before, row.not_after = probe.not_before, probe.not_after
    row.seen_at, row.next_attempt_at = now, now + LOOK_EVERY
    row.message = probe.message[:1000]
    db.session.add(row)


def refresh(account_id: int, shown: Collection[tuple[str, Probe]], now: datetime) -> None:
    """The same of hosts that somebody has just shaken hands with; of open ones only."""
    known = of_hosts([hostname for hostname, _ in shown])
    for hostname, probe in shown:
        if hostname in known:
            keep(account_id, hostname, probe, now)


def of_host(hostname: str) -> SeenCertificate | None:
    return db.session.scalar(select(SeenCertificate).where(SeenCertificate.hostname == hostname))


def of_hosts(hostnames: Collection[str]) -> dict[str, SeenCertificate]:
    """What was seen of each of many hosts; nothing where the portal keeps certificates itself."""
    if not keeper():
        return {}
    query = select(SeenCertificate).where(SeenCertificate.hostname.in_(hostnames))
    return {row.hostname: row for row in db.session.scalars(query)}


def near_their_end(account_id: int, last_day: datetime, now: datetime) -> list[SeenCertificate]:
    """Those of an account that end by then, as far as a look of the last two days goes."""
    if not keeper():
        return []
    query = (
        select(SeenCertificate)
        .where(SeenCertificate.account_id == account_id, SeenCertificate.not_after <= last_day)
        .where(SeenCertificate.seen_at > now - 2 * LOOK_EVERY)
        .order_by(SeenCertificate.not_after)
    )
    return list(db.session.scalars(query))


def near_a_mark(days: Collection[int], most: int, now: datetime) -> list[SeenCertificate]:
    """Those of which nobody was told at one of these days before their end."""
    if not keeper():
        return []
    due = [
        and_(
            SeenCertificate.not_after <= now + timedelta(days=mark),
            SeenCertificate.warned_days > mark,
        )
        for mark in days
    ]
    query = (
        select(SeenCertificate)
        .where(SeenCertificate.seen_at > now - 2 * LOOK_EVERY, or_(*due))
        .order_by(SeenCertificate.not_after)
        .limit(most)
    )
    return list(db.session.scalars(query))


def is_news_fresh(certificate: SeenCertificate, now: datetime) -> bool:
    """Whether the last look was a moment ago, so that a renewal would have been noticed."""
    looks = [certificate.seen_at, certificate.attempted_at]
    return max(at for at in looks if at is not None) > now - FRESH


def forget(hostname: str) -> None:
    """The host is closed."""
    query = delete(SeenCertificate).where(SeenCertificate.hostname == hostname)
    db.session.execute(query.execution_options(synchronize_session="fetch"))
