"""A client on a customer's domain: attaching, detaching, and the hosts that come of it.

A client's host on a domain is its name and the domain; it may also have the domain's bare name.
The host belongs to the client only while its account holds the domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from portal.certificates import orders, seen, store
from portal.certificates.models import Certificate, CertificateOrder
from portal.custom_domains import record_keeping
from portal.custom_domains.hosts import DomainHost, Shown, on_visit, provide_hosts
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from portal.errors import PortalError
from portal.llm_clients import hostnames, registration
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.usage import queries as usage

States = LLMClientHost.States
DomainStates = LLMClientCustomDomain.States


class NotAttachable(PortalError):
    """The client cannot have an address on this domain; the sentence says why."""


def wanted_hosts(llm_client: LLMClient, domain: LLMClientCustomDomain) -> tuple[str, ...]:
    """The hosts that the client has, or would have, on the domain."""
    own = hostnames.custom_host(llm_client.name, domain.domain_name)
    return (own, domain.domain_name) if llm_client.uses_bare_domain else (own,)


def attach(
    llm_client: LLMClient, domain: LLMClientCustomDomain, *, uses_bare_domain: bool = False
) -> None:
    """Put the client on the domain, and off the one it is on. Raises NotAttachable."""
    _lock(domain)
    if domain.account_id != llm_client.account_id or domain.state == DomainStates.REMOVING:
        raise NotAttachable("This domain is not one of the account’s any more.")
    if llm_client.custom_domain_id not in (None, domain.id):
        detach(llm_client)
    before = llm_client.uses_bare_domain
    llm_client.uses_bare_domain = uses_bare_domain
    trouble = _problem(llm_client, domain)
    if trouble:
        llm_client.uses_bare_domain = before
        raise NotAttachable(trouble)
    llm_client.custom_domain = domain
    db.session.flush()
    if domain.is_verified:
        claim_hosts(llm_client)


def detach(llm_client: LLMClient) -> None:
    """Take the client off its domain; what answered there closes with this commit."""
    llm_client.custom_domain = None
    llm_client.uses_bare_domain = False
    release_hosts(llm_client, ())


def claim_hosts(llm_client: LLMClient) -> bool:
    """Make the hosts on the held domain the client's own; False while another's is not gone."""
    domain = llm_client.custom_domain
    if domain is None or not domain.is_verified:
        return False
    wanted = wanted_hosts(llm_client, domain)
    release_hosts(llm_client, wanted)
    return all(_claim(llm_client, domain, host) for host in wanted)


def release_hosts(llm_client: LLMClient, kept: tuple[str, ...]) -> None:
    """Let go of the hosts on customers' domains other than `kept`."""
    for entry in registration.hosts_of(llm_client, States.CURRENT, is_custom=True):
        if entry.hostname in kept:
            continue
        if entry.is_published or entry.is_open:
            entry.state = States.LEAVING
            # a renamed client goes on answering at the old host until the new one is open
            entry.is_open = entry.is_open and bool(kept)
        else:
            db.session.delete(entry)
    db.session.flush()


def _claim(llm_client: LLMClient, domain: LLMClientCustomDomain, host: str) -> bool:
    entry = registration.host_entry(host) or LLMClientHost(hostname=host)
    is_ours = entry.llm_client_id in (None, llm_client.id)
    if not is_ours:
        return False
    entry.account_id = llm_client.account_id
    entry.llm_client = llm_client
    entry.custom_domain = domain
    entry.state = States.CURRENT
    entry.kept_until = None
    db.session.add(entry)
    db.session.flush()
    return True


def _problem(llm_client: LLMClient, domain: LLMClientCustomDomain) -> str:
    for host in wanted_hosts(llm_client, domain):
        if len(host) > registration.LONGEST_HOST:
            return "The address would be longer than 253 characters."
        other = _other_client(llm_client, domain, host)
        if other is not None:
            return f"The client {other.name} already has the address {host}."
    return ""


def _other_client(
    llm_client: LLMClient, domain: LLMClientCustomDomain, host: str
) -> LLMClient | None:
    on_domain = select(LLMClient).where(
        LLMClient.custom_domain_id == domain.id, LLMClient.id != llm_client.id
    )
    for other in db.session.scalars(on_domain):
        if host in wanted_hosts(other, domain):
            return other
    entry = registration.host_entry(host)
    owner = entry.llm_client if entry is not None else None
    if owner is None or owner.id == llm_client.id or owner.account_id != llm_client.account_id:
        return None
    return owner


def _lock(domain: LLMClientCustomDomain) -> None:
    query = select(LLMClientCustomDomain).where(LLMClientCustomDomain.id == domain.id)
    db.session.scalar(
        query.with_for_update(of=LLMClientCustomDomain).execution_options(populate_existing=True)
    )


def clients_on(domain: LLMClientCustomDomain) -> list[LLMClient]:
    """The clients that are attached to the domain, by name."""
    query = (
        select(LLMClient)
        .where(LLMClient.custom_domain_id == domain.id)
        .options(joinedload(LLMClient.custom_domain))
        .order_by(LLMClient.name)
    )
    return list(db.session.scalars(query).unique())


@provide_hosts
def hosts_on_domain(domain: LLMClientCustomDomain, now: datetime) -> tuple[DomainHost, ...]:
    """What the checks of a domain have to know of the hosts on it."""
    clients = clients_on(domain)
    names = [host for client in clients for host in wanted_hosts(client, domain)]
    entries = {
        entry.hostname: entry
        for entry in db.session.scalars(
            select(LLMClientHost).where(LLMClientHost.hostname.in_(names))
        )
        if entry.custom_domain_id == domain.id
    }
    known = _Known(
        entries=entries,
        certificates=store.good_certificates(list(entries), now),
        orders=orders.of_names(list(entries)),
        last_requests=usage.last_custom_requests([client.id for client in clients]),
    )
    return tuple(
        _domain_host(client, host, known)
        for client in clients
        for host in wanted_hosts(client, domain)
    )


@dataclass(frozen=True)
class _Known:
    """What the rows say, by host and by client."""

    entries: dict[str, LLMClientHost]
    certificates: dict[str, Certificate]
    orders: dict[str, CertificateOrder]
    last_requests: dict[int, datetime]


def _domain_host(llm_client: LLMClient, host: str, known: _Known) -> DomainHost:
    entry, certificate = known.entries.get(host), known.certificates.get(host)
    order = known.orders.get(host)
    has_trouble = order is not None and bool(order.reason) and certificate is None
    return DomainHost(
        host=host,
        llm_client_id=llm_client.id,
        llm_client_name=llm_client.name,
        client_public_id=llm_client.hashed_id,
        is_wanted_open=llm_client.deployed,
        is_open=entry is not None and entry.is_open and llm_client.deployed,
        chain_pem=certificate.chain_pem if certificate else "",
        serial=certificate.serial if certificate else "",
        certificate_reason=order.reason if order is not None and has_trouble else "",
        certificate_detail=order.detail if order is not None and has_trouble else "",
        is_certificate_refused=order is not None and has_trouble and orders.is_refused(order),
        next_certificate_attempt_at=order.next_attempt_at if order is not None else None,
        last_request_at=known.last_requests.get(
            llm_client.id, entry.created_at if entry is not None else None
        ),
    )


def remove_if_free(domain: LLMClientCustomDomain) -> bool:
    """Delete the row of a domain that is being removed once nothing of it is left.

    Its hosts go first, and the records that we published for it.
    """
    if domain.state != DomainStates.REMOVING or record_keeping.published_records(domain):
        return False
    left = db.session.scalar(
        select(LLMClientHost.id)
        .where(
            LLMClientHost.custom_domain_id == domain.id,
            LLMClientHost.state != States.TOMBSTONE,
        )
        .limit(1)
    )
    if left is None:
        db.session.execute(
            delete(LLMClientCustomDomain).where(LLMClientCustomDomain.id == domain.id)
        )
    return left is None


@on_visit
def keep_what_was_shown(domain: LLMClientCustomDomain, shown: Shown, now: datetime) -> None:
    """A check's handshake is as good as the daily look at a certificate that others keep."""
    seen.refresh(domain.account_id, shown, now)
