"""Runs on customers' domains: when one begins, and what follows a domain that changed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from portal.accounts.models import User
from portal.custom_domains import claims
from portal.custom_domains.hosts import on_change
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from portal.llm_clients import custom_hosts, registration
from portal.llm_clients.deployment import runs
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost

Kinds, Scopes, States = Deployment.Kinds, Deployment.Scopes, LLMClientHost.States


def open_custom_hosts(
    llm_client: LLMClient, now: datetime, by: User | None, *, afresh: bool = False
) -> Deployment | None:
    """Begin putting the client on its customer's domain, if it is deployed and the domain ours."""
    if not custom_hosts.claim_hosts(llm_client):
        return None
    domain = llm_client.custom_domain
    run = runs.begin(llm_client, Kinds.DEPLOY, now, by, Scopes.CUSTOM, afresh=afresh)
    if domain is not None:
        claims.watch(domain, now)
    return run


def close_custom_hosts(llm_client: LLMClient, now: datetime, by: User | None) -> Deployment | None:
    """Begin taking the client off customers' domains, if anything of it is there."""
    if (
        not registration.hosts_of(llm_client, States.CURRENT, States.LEAVING, is_custom=True)
        and runs.active_run(llm_client, Scopes.CUSTOM) is None
    ):
        return None
    return runs.begin(llm_client, Kinds.UNDEPLOY, now, by, Scopes.CUSTOM)


@on_change
def follow(domain: LLMClientCustomDomain, now: datetime) -> None:
    """The domain became ours, stopped being ours, or was looked at: its clients' hosts follow."""
    if domain.state == domain.States.REMOVING:
        _leave(domain, now)
        return
    for llm_client in custom_hosts.clients_on(domain):
        if not domain.is_verified:
            _close(llm_client, now)
        elif is_wanted(llm_client):
            _go_on(llm_client, now)


def is_wanted(llm_client: LLMClient) -> bool:
    """Whether the client is deployed or on its way; its two scopes wait for each other never."""
    run = runs.active_run(llm_client)
    return llm_client.deployed if run is None else run.kind == Kinds.DEPLOY


def wanted_of(account_id: int) -> frozenset[int]:
    """The numbers of all clients of an account of which that is true, in two queries."""
    of_account = select(LLMClient.id).where(LLMClient.account_id == account_id)
    deployed = set(db.session.scalars(of_account.where(LLMClient.deployed)))
    under_way = select(Deployment.llm_client_id, Deployment.kind).where(
        Deployment.llm_client_id.in_(of_account),
        Deployment.scope == Scopes.DEFAULT,
        Deployment.state == Deployment.States.ACTIVE,
    )
    for number, kind in db.session.execute(under_way):
        (deployed.add if kind == Kinds.DEPLOY else deployed.discard)(number)
    return frozenset(deployed)


def _leave(domain: LLMClientCustomDomain, now: datetime) -> None:
    for llm_client in custom_hosts.clients_on(domain):
        custom_hosts.detach(llm_client)
        close_custom_hosts(llm_client, now, None)
    custom_hosts.remove_if_free(domain)


def _close(llm_client: LLMClient, now: datetime) -> None:
    custom_hosts.release_hosts(llm_client, ())
    if registration.hosts_of(llm_client, States.LEAVING, is_custom=True):
        close_custom_hosts(llm_client, now, None)


def _go_on(llm_client: LLMClient, now: datetime) -> None:
    """Begin a run where none is under way and a host is not open; hurry one that waits for us."""
    run = runs.active_run(llm_client, Scopes.CUSTOM)
    if run is None:
        custom_hosts.claim_hosts(llm_client)
        own = registration.hosts_of(llm_client, States.CURRENT, is_custom=True)
        if own and not all(host.is_open for host in own):
            open_custom_hosts(llm_client, now, None)
    elif run.step == "see_checks" and run.kind == Kinds.DEPLOY:
        runs.try_now(run, now)


def put_on_domain(
    llm_client: LLMClient,
    domain: LLMClientCustomDomain,
    now: datetime,
    by: User | None,
    *,
    uses_bare_domain: bool = False,
) -> Deployment | None:
    """Attach the client, and open its host there as soon as both are ready. Raises NotAttachable.

    From another domain it moves: what answered there is closed.
    """
    custom_hosts.attach(llm_client, domain, uses_bare_domain=uses_bare_domain)
    if is_wanted(llm_client) and domain.is_verified:
        return open_custom_hosts(llm_client, now, by, afresh=True)
    return close_custom_hosts(llm_client, now, by)


def take_off_domain(llm_client: LLMClient, now: datetime, by: User | None) -> Deployment | None:
    """Detach the client: its host on the domain closes with this commit, the rest follows."""
    custom_hosts.detach(llm_client)
    return close_custom_hosts(llm_client, now, by)


def domains_of(run: Deployment) -> list[int]:
    """The domains on which the run has hosts; to be asked before the run lets go of them."""
    hosts = registration.hosts_of_id(run.llm_client_id, is_custom=True)
    return sorted({host.custom_domain_id for host in hosts if host.custom_domain_id})


def after_run(domain_ids: list[int], now: datetime) -> None:
    """Hosts became free: a domain that waited for it goes, or opens for whoever holds it now."""
    for domain_id in domain_ids:
        domain = db.session.get(LLMClientCustomDomain, domain_id, populate_existing=True)
        if domain is None or custom_hosts.remove_if_free(domain):
            continue
        holder = db.session.scalar(
            select(LLMClientCustomDomain).where(
                LLMClientCustomDomain.domain_name == domain.domain_name,
                LLMClientCustomDomain.is_verified,
            )
        )
        if holder is not None:
            follow(holder, now)


def look_again(domain_ids: list[int], now: datetime) -> None:
    """A host was opened: the check that sees it from outside follows at once.

    In a transaction of its own, for elsewhere a domain's row is locked before a run's.
    """
    for domain_id in domain_ids:
        domain = db.session.get(LLMClientCustomDomain, domain_id, with_for_update=True)
        if domain is not None:
            claims.watch(domain, now)
