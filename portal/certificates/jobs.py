"""The worker's part: look after each certificate, and renew it while the old one is served."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.adapters import current_adapters
from portal.certificates import orders, preflight, renewing, store
from portal.certificates.models import Certificate, CertificateOrder
from portal.certificates.ordering import customer_editor, step
from portal.database import current_settings, db, utc_now
from portal.dns import ZoneEditor
from portal.errors import AdapterError, PortalError
from portal.job_queue import Ring, claim, enqueue, job, rings_of, still_ours, sweep
from portal.tls import Issuance, NotOrdered, Renewal

MOST_AT_ONCE = 50


@sweep
def due_certificates(now: datetime) -> Iterator[Ring]:
    """Certificates that want a look: due, and in nobody's hands."""
    yield from rings_of(CertificateOrder, look_after_certificate, now, most=MOST_AT_ONCE)


@job
def look_after_certificate(order_id: int) -> None:
    """One step of a renewal that is under way, else a look whether it is time for one."""
    order = claim(CertificateOrder, order_id, utc_now())
    if order is None:
        return
    generation, state, now = order.generation, orders.state_of(order), utc_now()
    certificate = store.newest(order.name)
    if certificate is None or not store.is_wanted(order.name):
        _leave(order)
        return
    if not state and not _is_time(order, certificate, now):
        db.session.rollback()
        _plan(order_id, generation, certificate)
        return
    blocked = None if state else _blocked(order, now)
    name, editor = order.name, _editor(order.name)
    orders.will_ask(order, now, is_new=not state and blocked is None)
    db.session.commit()
    outcome = blocked or _step(name, state, editor)
    _store(order_id, generation, outcome)


def _leave(order: CertificateOrder) -> None:
    """Nobody is served with it; a deployment that wants it takes the order up again."""
    order.next_attempt_at = order.leased_until = order.renew_at = None
    order.broken_off = 0
    db.session.commit()


def _is_time(order: CertificateOrder, certificate: Certificate, now: datetime) -> bool:
    """By the plan of the last look; one that was never planned is planned first."""
    is_planned = order.renew_at is not None and order.renew_at <= now
    return is_planned or not certificate.is_good(now)


def _plan(order_id: int, generation: int, certificate: Certificate) -> None:
    """Ask the authority when it wants the certificate renewed, and write down when to come back."""
    try:
        wish = current_adapters().issuer.renewal(certificate.chain_pem, utc_now())
    except AdapterError:  # it may say so another time; the rule of thirds holds meanwhile
        wish = Renewal(None, utc_now() + renewing.LONGEST_PAUSE)
    order = still_ours(CertificateOrder, order_id, generation)
    if order is not None:
        now = utc_now()
        order.renew_at = renewing.renewal_time(certificate, wish)
        order.next_attempt_at = renewing.next_look(order.renew_at, wish, now)
        order.leased_until = None
        order.broken_off = 0
        _ring_if_due(order, now)
    db.session.commit()


def _blocked(order: CertificateOrder, now: datetime) -> Issuance | None:
    """Why no order may be made yet; checked as for a new name, with the reserve to use."""
    objection = preflight.objection(order.name, now)
    if objection:
        return Issuance("waiting", objection, "preflight", 3600)
    limit = orders.limit_reached(order, now, is_renewal=True)
    if limit is None:
        return None
    return Issuance("waiting", limit.sentence, limit.reason, int(limit.seconds) + 1)


def _editor(name: str) -> ZoneEditor | None:
    """None where its settings are no use: an order that needs no record goes on."""
    try:
        return customer_editor(name)
    except PortalError:
        return None


def _step(
    name: str, state: dict[str, object], editor: ZoneEditor | None
) -> Issuance | AdapterError:
    try:
        zone = current_settings().base_api_domain
        return step(name, state, current_adapters(), zone, utc_now(), editor)
    except AdapterError as error:
        return error


def _store(order_id: int, generation: int, outcome: Issuance | AdapterError) -> None:
    order = still_ours(CertificateOrder, order_id, generation)
    if order is None:
        db.session.rollback()
        return
    now = utc_now()
    if isinstance(outcome, AdapterError):
        if isinstance(outcome, NotOrdered):
            orders.cross_off(order)
        reason = outcome.reason or "ca_unavailable"
        orders.trouble(order, outcome.public_message, reason, outcome.detail, now)
    else:
        orders.record(order, outcome, now)
    _ring_if_due(order, now)
    db.session.commit()


def _ring_if_due(order: CertificateOrder, now: datetime) -> None:
    if order.next_attempt_at is not None and order.next_attempt_at <= now:
        key = f"{order.id}-{order.generation}-{order.attempt}"
        enqueue(look_after_certificate, order.id, key=key)
