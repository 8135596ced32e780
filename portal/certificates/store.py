"""The certificates we own, by name: keep, find, hand out, stop serving, revoke."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select

from portal.certificates.models import Certificate, SharedCertificateHost
from portal.database import current_settings, db
from portal.tls import Issuance
from portal.vault import current_sealer


def good_certificate(hostname: str, now: datetime) -> Certificate | None:
    """The newest certificate that may be served for a host now: its own, else a shared one."""
    return next((one for one in served_certificates(hostname) if one.is_good(now)), None)


def served_certificates(hostname: str) -> list[Certificate]:
    """Every certificate that is not withdrawn from this host, its own first, the newest first."""
    shared = select(SharedCertificateHost.certificate_name).where(
        SharedCertificateHost.hostname == hostname
    )
    query = (
        select(Certificate)
        .where(or_(Certificate.hostname == hostname, Certificate.hostname.in_(shared)))
        .where(Certificate.revoked_at.is_(None), Certificate.is_served)
        .where(Certificate.chain_pem != "")
        .order_by(Certificate.hostname != hostname, Certificate.id.desc())
    )
    return list(db.session.scalars(query))


def good_certificates(hostnames: Collection[str], now: datetime) -> dict[str, Certificate]:
    """What each of many hosts may be served with now; its own before a shared one."""
    shared = {
        row.hostname: row.certificate_name
        for row in db.session.scalars(
            select(SharedCertificateHost).where(SharedCertificateHost.hostname.in_(hostnames))
        )
    }
    query = (
        select(Certificate)
        .where(Certificate.hostname.in_({*hostnames, *shared.values()}))
        .where(Certificate.revoked_at.is_(None), Certificate.is_served)
        .where(Certificate.chain_pem != "")
        .order_by(Certificate.id)
    )
    by_name = {one.hostname: one for one in db.session.scalars(query) if one.is_good(now)}
    found = {host: by_name.get(host) or by_name.get(shared.get(host, "")) for host in hostnames}
    return {host: certificate for host, certificate in found.items() if certificate is not None}


def newest(name: str) -> Certificate | None:
    """The last certificate issued for this very name that is served and not revoked."""
    return db.session.scalar(
        select(Certificate)
        .where(Certificate.hostname == name, Certificate.chain_pem != "")
        .where(Certificate.revoked_at.is_(None), Certificate.is_served)
        .order_by(Certificate.id.desc())
        .limit(1)
    )


def good_of_name(name: str, now: datetime) -> Certificate | None:
    """A certificate of this very name that is good, whoever is served with it."""
    found = newest(name)
    return found if found is not None and found.is_good(now) else None


def unrevoked(hostname: str, now: datetime) -> Certificate | None:
    """The newest certificate of the host's own that is still good for others, served or not."""
    query = (
        select(Certificate)
        .where(Certificate.hostname == hostname, Certificate.revoked_at.is_(None))
        .order_by(Certificate.id.desc())
    )
    return next((found for found in db.session.scalars(query) if found.is_good(now)), None)


def keep(account_id: int | None, name: str, issuance: Issuance) -> Certificate:
    """Store what was issued, its key sealed for this name."""
    certificate = Certificate(account_id=account_id, hostname=name)
    certificate.issuer_kind = current_settings().issuer
    certificate.chain_pem = issuance.chain_pem
    certificate.sealed_key = current_sealer().seal(issuance.key_pem, belongs_to=_belongs_to(name))
    certificate.issuer = issuance.issuer[:255]
    certificate.serial = issuance.serial
    certificate.not_before = issuance.not_before
    certificate.not_after = issuance.not_after
    db.session.add(certificate)
    return certificate


def share(account_id: int, hostname: str, name: str) -> None:
    """Serve this host with the certificate of another name."""
    row = db.session.scalar(
        select(SharedCertificateHost).where(SharedCertificateHost.hostname == hostname)
    ) or SharedCertificateHost(hostname=hostname)
    row.account_id, row.certificate_name = account_id, name
    db.session.add(row)


def is_wanted(name: str) -> bool:
    """Whether anybody is served with this name's certificate."""
    uses = select(SharedCertificateHost.id).where(SharedCertificateHost.certificate_name == name)
    return not name.startswith("*.") or db.session.scalar(uses.limit(1)) is not None


def hosts_of(name: str) -> list[str]:
    """The hosts that are served with this name's certificate."""
    shared = select(SharedCertificateHost.hostname).where(
        SharedCertificateHost.certificate_name == name
    )
    own = [] if name.startswith("*.") else [name]
    return own + sorted(db.session.scalars(shared))


def stop_serving(hostname: str) -> None:
    """From this commit on the edge gets nothing for the host, revoked or not.

    Row by row: what the edge is told from memory is forgotten with a row's change.
    """
    _set_served(hostname, False)
    shared = select(SharedCertificateHost).where(SharedCertificateHost.hostname == hostname)
    for row in db.session.scalars(shared):
        db.session.delete(row)


def serve_again(hostname: str) -> None:
    """What was withdrawn and not revoked yet is served again."""
    _set_served(hostname, True)


def _set_served(hostname: str, is_served: bool) -> None:
    query = select(Certificate).where(
        Certificate.hostname == hostname, Certificate.revoked_at.is_(None)
    )
    for certificate in db.session.scalars(query):
        certificate.is_served = is_served


def revoke(hostname: str, now: datetime) -> None:
    """No certificate of the host's own is served from this commit on, nor renewed."""
    stop_serving(hostname)
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


def _belongs_to(name: str) -> str:
    return f"certificate/{name}"
