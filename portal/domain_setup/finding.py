"""Finding domains and what hangs on them; every query starts from the account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ScalarSelect, Select, and_, func, or_, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account
from portal.certificates.models import (
    Certificate,
    CertificateOrder,
    SeenCertificate,
    SharedCertificateHost,
)
from portal.custom_domains.models import CustomDomainEvent, LLMClientCustomDomain
from portal.database import db
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost

PAGE_SIZE = 50
MOST_EVENTS = 40


@dataclass(frozen=True)
class ServedClient:
    """A client on a domain, with its newest run there."""

    llm_client: LLMClient
    run: Deployment | None


@dataclass(frozen=True)
class KeptHost:
    """A host that was claimed on a domain, what the edge serves there, and what comes next."""

    host: LLMClientHost
    certificate: Certificate | None
    order: CertificateOrder | None
    seen: SeenCertificate | None = None


def for_account(
    account: Account, custom_domain_id: int, *, lock: bool = False
) -> LLMClientCustomDomain | None:
    """The account's domain with this number and its records; None for any other's."""
    query = select(LLMClientCustomDomain).where(
        LLMClientCustomDomain.account_id == account.id,
        LLMClientCustomDomain.id == custom_domain_id,
    )
    if lock:
        return db.session.scalar(query.with_for_update())
    query = query.options(
        joinedload(LLMClientCustomDomain.dns_records), joinedload(LLMClientCustomDomain.added_by)
    )
    return db.session.scalars(query).unique().one_or_none()


def page(account: Account, before: int | None) -> tuple[list[LLMClientCustomDomain], int | None]:
    """The newest first, and where the next page begins."""
    query = (
        select(LLMClientCustomDomain)
        .where(LLMClientCustomDomain.account_id == account.id)
        .order_by(LLMClientCustomDomain.id.desc())
    )
    if before is not None:
        query = query.where(LLMClientCustomDomain.id < before)
    found = list(db.session.scalars(query.limit(PAGE_SIZE + 1)))
    older = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    return found[:PAGE_SIZE], older


def all_of(account: Account) -> list[LLMClientCustomDomain]:
    """All that may carry clients, by name; an account has 200 at the most."""
    query = (
        select(LLMClientCustomDomain)
        .where(
            LLMClientCustomDomain.account_id == account.id,
            LLMClientCustomDomain.state != LLMClientCustomDomain.States.REMOVING,
        )
        .order_by(LLMClientCustomDomain.domain_name)
    )
    return list(db.session.scalars(query))


def client_names(custom_domains: Iterable[LLMClientCustomDomain]) -> dict[int, list[str]]:
    """The names of the clients on each of these domains."""
    found: dict[int, list[str]] = {custom_domain.id: [] for custom_domain in custom_domains}
    query = (
        select(LLMClient.custom_domain_id, LLMClient.name)
        .where(LLMClient.custom_domain_id.in_(found))
        .order_by(LLMClient.name)
    )
    for number, name in db.session.execute(query):
        found[number].append(name)
    return found


def clients_on(custom_domain: LLMClientCustomDomain) -> list[ServedClient]:
    """The clients on a domain by name, each with its newest run there, in one query."""
    newest = (
        select(Deployment.llm_client_id, func.max(Deployment.id).label("run_id"))
        .where(Deployment.scope == Deployment.Scopes.CUSTOM)
        .group_by(Deployment.llm_client_id)
        .subquery()
    )
    query = (
        select(LLMClient, Deployment)
        .outerjoin(newest, newest.c.llm_client_id == LLMClient.id)
        .outerjoin(Deployment, Deployment.id == newest.c.run_id)
        .where(LLMClient.custom_domain_id == custom_domain.id)
        .order_by(LLMClient.name, LLMClient.id)
    )
    return [ServedClient(llm_client, run) for llm_client, run in db.session.execute(query)]


def clients_elsewhere(
    account: Account, custom_domain: LLMClientCustomDomain, most: int = 500
) -> list[LLMClient]:
    """The account's clients that are not on this domain, by name."""
    query = (
        select(LLMClient)
        .where(
            LLMClient.account_id == account.id,
            or_(
                LLMClient.custom_domain_id.is_(None),
                LLMClient.custom_domain_id != custom_domain.id,
            ),
        )
        .order_by(LLMClient.name, LLMClient.id)
        .limit(most)
    )
    return list(db.session.scalars(query))


def events_of(custom_domain: LLMClientCustomDomain) -> list[CustomDomainEvent]:
    """The newest lines of its timeline, the newest first."""
    query = (
        select(CustomDomainEvent)
        .where(CustomDomainEvent.custom_domain_id == custom_domain.id)
        .order_by(CustomDomainEvent.id.desc())
        .limit(MOST_EVENTS)
    )
    return list(db.session.scalars(query))


def hosts_of(custom_domain: LLMClientCustomDomain) -> dict[str, KeptHost]:
    """The hosts on a domain that we know of, with their newest certificates, in one query."""
    name = func.coalesce(SharedCertificateHost.certificate_name, LLMClientHost.hostname)
    is_served = and_(
        Certificate.hostname == name,
        Certificate.revoked_at.is_(None),
        Certificate.chain_pem != "",
    )
    query = (
        select(LLMClientHost, Certificate, CertificateOrder, SeenCertificate)
        .outerjoin(SharedCertificateHost, SharedCertificateHost.hostname == LLMClientHost.hostname)
        .outerjoin(Certificate, is_served)
        .outerjoin(CertificateOrder, CertificateOrder.name == name)
        .outerjoin(SeenCertificate, SeenCertificate.hostname == LLMClientHost.hostname)
        .where(LLMClientHost.custom_domain_id == custom_domain.id)
        .order_by(Certificate.is_served, Certificate.id)
    )
    found = db.session.execute(query)
    return {host.hostname: KeptHost(host, *kept) for host, *kept in found}


def counts(account_id: Any, *others: ScalarSelect[int], most: int = 1001) -> Select[Any]:
    """A query: how many clients and domains an account has, each counted to `most`.

    Other counts come along in it.
    """
    numbers = [
        select(func.count())
        .select_from(select(model.id).where(model.account_id == account_id).limit(most).subquery())
        .scalar_subquery()
        for model in (LLMClient, LLMClientCustomDomain)
    ]
    return select(*numbers, *others)
