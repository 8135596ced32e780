"""The certificates we own, by host: keep, find, hand out, revoke."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.certificates.models import Certificate
from portal.database import db
from portal.tls import Issuance
from portal.vault import current_sealer


def good_certificate(hostname: str, now: datetime) -> Certificate | None:
    """The newest certificate of a host that may be served now."""
    query = (
        select(Certificate)
        .where(Certificate.hostname == hostname, Certificate.revoked_at.is_(None))
        .order_by(Certificate.id.desc())
    )
    return next((found for found in db.session.scalars(query) if found.is_good(now)), None)


def keep(account_id: int, hostname: str, issuance: Issuance) -> Certificate:
    """Store what was issued, its key sealed for this host."""
    certificate = _pending(hostname) or Certificate(account_id=account_id, hostname=hostname)
    certificate.chain_pem = issuance.chain_pem
    certificate.sealed_key = current_sealer().seal(
        issuance.key_pem, belongs_to=_belongs_to(hostname)
    )
    certificate.issuer = issuance.issuer
    certificate.serial = issuance.serial
    certificate.not_before = issuance.not_before
    certificate.not_after = issuance.not_after
    db.session.add(certificate)
    return certificate


def keep_order(account_id: int, hostname: str, state: dict[str, Any]) -> None:
    """Store how far an order has come, for the next attempt."""
    certificate = _pending(hostname) or Certificate(account_id=account_id, hostname=hostname)
    certificate.order_state = state
    db.session.add(certificate)


def order_state(hostname: str) -> dict[str, Any]:
    """How far the host's open order has come; empty if there is none."""
    pending = _pending(hostname)
    return pending.order_state if pending else {}


def revoke(hostname: str, now: datetime) -> None:
    """No certificate of the host is served from this commit on."""
    query = select(Certificate).where(
        Certificate.hostname == hostname, Certificate.revoked_at.is_(None)
    )
    for certificate in db.session.scalars(query):
        certificate.revoked_at = now


def pem_of(certificate: Certificate) -> str:
    """Chain followed by the private key, as the edge wants it."""
    key = current_sealer().open(
        certificate.sealed_key, belongs_to=_belongs_to(certificate.hostname)
    )
    return certificate.chain_pem + key


def _pending(hostname: str) -> Certificate | None:
    return db.session.scalar(
        select(Certificate).where(
            Certificate.hostname == hostname,
            Certificate.chain_pem == "",
            Certificate.revoked_at.is_(None),
        )
    )


def _belongs_to(hostname: str) -> str:
    return f"certificate/{hostname}"
