"""What a deployment's steps change in the database, once each is true."""

from __future__ import annotations

from datetime import datetime

from portal.certificates import orders, seen, store
from portal.certificates.naming import certificate_name
from portal.custom_domains.looks import look_now
from portal.custom_domains.models import LLMClientCustomDomainDNS
from portal.database import current_settings, db
from portal.limits import editing as limits_editing
from portal.limits.models import SubjectKinds
from portal.llm_clients import registration, revisions
from portal.llm_clients.deployment.attempts import Done, Failed, Target, Wait
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost

Dns = LLMClient.DnsVerificationStatusChoices
Tls = LLMClient.TlsCertificateIssuanceStatusChoices
HostStates = LLMClientHost.States
Purposes = LLMClientCustomDomainDNS.Purposes


def hosts_of(run: Deployment, *states: LLMClientHost.States) -> list[LLMClientHost]:
    """The hosts that a run is about; a deletion is about all of the client's."""
    is_custom = None if run.kind == Deployment.Kinds.DELETE else run.is_custom
    return registration.hosts_of_id(run.llm_client_id, *states, is_custom=is_custom)


def begun(run: Deployment, now: datetime) -> None:
    """A deployment starts from nothing seen; anything else stops serving at this commit."""
    llm_client = run.llm_client
    if run.kind == Deployment.Kinds.DEPLOY:
        for host in hosts_of(run, HostStates.CURRENT):
            store.serve_again(host.hostname)
        if run.is_custom:
            return
        number = llm_client.newest_revision_number
        run.revision = revisions.revision_of(llm_client, number)
        llm_client.dns_verification_status = Dns.VERIFYING
        llm_client.tls_certificate_issuance_status = Tls.NO_CERTIFICATE
        return
    llm_client.deployed = llm_client.deployed and run.is_custom
    for host in hosts_of(run):
        host.is_open = False
        store.stop_serving(host.hostname)


def published(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    for host in hosts_of(run, HostStates.CURRENT):
        host.is_published = True


def dns_seen(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    run.llm_client.dns_verification_status = Dns.VERIFIED
    run.llm_client.tls_certificate_issuance_status = Tls.REQUESTED


def records_published(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    """Records that were missing a moment ago are looked at now, not when it is their turn."""
    for host in hosts_of(run, HostStates.CURRENT):
        domain, known = host.custom_domain, target.custom.get(host.hostname)
        if domain is None or known is None:
            continue
        for row in domain.dns_records:
            if row.purpose == Purposes.ROUTING and row.record_name in done.published:
                row.published_by = domain.zone_editor
        if known.finding is not None and domain.leased_until is None:
            look_now(domain, now)


def checks_seen(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    for host in hosts_of(run, HostStates.CURRENT):
        host.is_published = True


def certified(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    account_id, settings = run.llm_client.account_id, current_settings()
    for name, issuance in done.issued.items():
        orders.record_for(account_id, name, holder_of(run), issuance, now)
    for host in target.hosts:
        name = certificate_name(host, settings)
        if name != host:
            store.share(account_id, host, name)


def certificate_seen(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    for host, probe in done.seen.items():
        seen.keep(run.llm_client.account_id, host, probe, now)
    if not run.is_custom:
        run.llm_client.tls_certificate_issuance_status = Tls.ISSUED


def opened(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    llm_client = run.llm_client
    if not run.is_custom:
        llm_client.published_revision = run.revision
        llm_client.deployed = True
    for host in hosts_of(run, HostStates.CURRENT):
        host.is_open = True


def old_closed(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    for host in hosts_of(run, HostStates.LEAVING):
        seen.forget(host.hostname)
        store.revoke(host.hostname, now)
        orders.give_up(host.hostname)
        registration.bury(host, now)


def certificate_withdrawn(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    for host in hosts_of(run):
        seen.forget(host.hostname)
        store.revoke(host.hostname, now)
        orders.give_up(host.hostname)
    if not run.is_custom:
        run.llm_client.tls_certificate_issuance_status = Tls.NO_CERTIFICATE


def dns_withdrawn(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    for host in hosts_of(run):
        host.is_published = False
        if host.state == HostStates.LEAVING:
            registration.bury(host, now)
    if not run.is_custom:
        run.llm_client.dns_verification_status = Dns.NOT_VERIFIED


def forgotten(run: Deployment, target: Target, done: Done, now: datetime) -> None:
    """The client goes, its history stays with the account, its hosts stay reserved for a while."""
    for host in hosts_of(run):
        registration.bury(host, now)
    db.session.flush()
    limits_editing.forget(SubjectKinds.CLIENT, run.llm_client.id)
    db.session.delete(run.llm_client)


def waiting(run: Deployment, result: Wait | Failed, now: datetime) -> None:
    """Keep how far each order has come, for the next attempt."""
    if isinstance(result, Wait) and result.not_ordered:
        orders.not_ordered(result.not_ordered, holder_of(run))
    for name, issuance in result.issuances.items():
        account_id = run.llm_client.account_id
        orders.record_for(account_id, name, holder_of(run), issuance, now)


def holder_of(run: Deployment) -> str:
    """Who has an order in hand."""
    return f"deployment-{run.id}"


def failed(run: Deployment, result: Wait | Failed, now: datetime) -> None:
    """The status of the part that failed; a client on an older address goes on answering there.

    What the authority said of each order stays, so that the next run neither asks at once nor
    orders again what was issued.
    """
    waiting(run, result, now)
    orders.let_go(holder_of(run))
    if run.kind != Deployment.Kinds.DEPLOY or run.is_custom:
        return
    if run.step in ("publish_dns", "see_dns"):
        run.llm_client.dns_verification_status = Dns.FAILED
    else:
        run.llm_client.tls_certificate_issuance_status = Tls.FAILED
