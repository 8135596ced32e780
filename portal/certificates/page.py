"""A host's certificate as a page shows it: values only, made from rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from portal.certificates import ledger, seen, store
from portal.certificates.ledger import LimitUse
from portal.certificates.models import Certificate, CertificateOrder, SeenCertificate
from portal.certificates.naming import certificate_name
from portal.database import current_settings, db
from portal.formatting import StatusView, enum_view


@dataclass(frozen=True)
class CertificateView:
    """The certificate that a host is served with, and the order for the next.

    `renewed_by`: who else keeps it, where it is not the portal; then all that is said of it was
    seen at a handshake, at `seen_at`.

    `reason` is a code, `sentence` ours, `detail` the authority's own words. `name` differs from the
    host where the certificate is shared.
    """

    host: str
    name: str
    status: StatusView
    sentence: str
    reason: str
    detail: str
    issuer: str
    serial: str
    not_before: datetime | None
    not_after: datetime | None
    renew_at: datetime | None
    next_attempt_at: datetime | None
    failures: int
    limits: tuple[LimitUse, ...]
    renewed_by: str = ""
    seen_at: datetime | None = None

    @property
    def is_shared(self) -> bool:
        return self.name != self.host


def certificate_view(account_id: int, host: str, tls_status: str, now: datetime) -> CertificateView:
    """`tls_status` is the client's own word; empty: by the certificate and its order."""
    settings = current_settings()
    if seen.keeper():
        return _seen_view(host, tls_status)
    certificate = store.good_certificate(host, now)
    name = certificate.hostname if certificate else certificate_name(host, settings)
    order = db.session.scalar(select(CertificateOrder).where(CertificateOrder.name == name))
    trouble = order.message if order is not None and order.reason else ""
    limits = ledger.uses(account_id, name, now) if settings.issuer == "acme" else []
    return CertificateView(
        host=host,
        name=name,
        status=enum_view(tls_status or _word(certificate, order)),
        sentence=trouble or _sentence(certificate, order),
        reason=order.reason if order is not None else "",
        detail=order.detail if order is not None else "",
        issuer=issuer_words(certificate.issuer) if certificate else "",
        serial=certificate.serial if certificate else "",
        not_before=certificate.not_before if certificate else None,
        not_after=certificate.not_after if certificate else None,
        renew_at=order.renew_at if order is not None and certificate else None,
        next_attempt_at=order.next_attempt_at if order is not None else None,
        failures=order.failures if order is not None else 0,
        limits=tuple(limits),
    )


def _seen_view(host: str, tls_status: str) -> CertificateView:
    found = seen.of_host(host)
    return CertificateView(
        host=host,
        name=host,
        status=enum_view(tls_status or ("Issued" if found else "No Certificate")),
        sentence=_seen_sentence(found),
        reason="",
        detail="",
        issuer=issuer_words(found.issuer) if found else "",
        serial=found.serial if found else "",
        not_before=found.not_before if found else None,
        not_after=found.not_after if found else None,
        renew_at=None,
        next_attempt_at=found.next_attempt_at if found else None,
        failures=0,
        limits=(),
        renewed_by=seen.keeper(),
        seen_at=found.seen_at if found else None,
    )


def _seen_sentence(found: SeenCertificate | None) -> str:
    keeper = seen.keeper()
    if found is None:
        return f"Kept by {keeper}; we have not seen it yet."
    issuer = issuer_words(found.issuer)
    return (
        f"Kept by {keeper}. We saw one issued by {issuer}, valid until {found.not_after:%d %B %Y}."
    )


def issuer_words(distinguished_name: str) -> str:
    """`Let's Encrypt R11` of `CN=R11,O=Let's Encrypt,C=US` (RFC 4514)."""
    try:
        parts = x509.Name.from_rfc4514_string(distinguished_name)
    except ValueError:
        return distinguished_name
    wanted = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    words = [str(one.value) for oid in wanted for one in parts.get_attributes_for_oid(oid)]
    return " ".join(words) or distinguished_name


def _word(certificate: Certificate | None, order: CertificateOrder | None) -> str:
    if certificate is not None:
        return "Issued"
    return "Requested" if order is not None and order.next_attempt_at else "No Certificate"


def _sentence(certificate: Certificate | None, order: CertificateOrder | None) -> str:
    if certificate is not None and certificate.not_after is not None:
        issuer = issuer_words(certificate.issuer)
        return f"Issued by {issuer}, valid until {certificate.not_after:%d %B %Y}."
    return order.message if order is not None else "Requested once DNS is verified."
