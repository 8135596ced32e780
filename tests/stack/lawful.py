"""What must hold of hosts, clients, runs and domains: after each move, and when nothing is due.

Asked some ten times in each history, so the statements are worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Row, Select, exists, select

from portal.certificates.models import Certificate
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.serving import served

Dns = LLMClient.DnsVerificationStatusChoices
Tls = LLMClient.TlsCertificateIssuanceStatusChoices
States, DomainStates = LLMClientHost.States, LLMClientCustomDomain.States
AT_REST = [
    (True, Dns.VERIFIED, Tls.ISSUED),
    (False, Dns.NOT_VERIFIED, Tls.NO_CERTIFICATE),
]
# Each host with whose it is, and who holds its domain.
HOSTS = (
    select(
        LLMClientHost.hostname,
        LLMClientHost.is_open,
        LLMClientHost.custom_domain_id.is_not(None),
        LLMClient.id,
        LLMClient.deployed,
        LLMClient.account_id,
        LLMClientCustomDomain.is_verified,
        LLMClientCustomDomain.account_id,
    )
    .outerjoin(LLMClient, LLMClient.id == LLMClientHost.llm_client_id)
    .outerjoin(LLMClientCustomDomain, LLMClientCustomDomain.id == LLMClientHost.custom_domain_id)
)
HOLDERS = select(LLMClientCustomDomain.domain_name).where(LLMClientCustomDomain.is_verified)
UNDER_WAY = select(Deployment.scope, Deployment.kind, Deployment.step, Deployment.message).where(
    Deployment.state == Deployment.States.ACTIVE
)
CLIENTS = select(
    LLMClient.name,
    LLMClient.deployed,
    LLMClient.dns_verification_status,
    LLMClient.tls_certificate_issuance_status,
)
HOSTS_AT_REST = select(
    LLMClientHost.hostname,
    LLMClientHost.state,
    LLMClientHost.is_open,
    LLMClient.deployed,
    exists().where(
        Certificate.hostname == LLMClientHost.hostname,
        Certificate.is_served,
        Certificate.revoked_at.is_(None),
    ),
).outerjoin(LLMClient, LLMClient.id == LLMClientHost.llm_client_id)
LEAVING_DOMAINS = select(LLMClientCustomDomain.account_id).where(
    LLMClientCustomDomain.state == DomainStates.REMOVING
)


def wrong_now() -> Iterator[str]:
    """What must hold after each commit."""
    for host, is_open, is_custom, client, is_deployed, account, is_verified, owner in _rows(HOSTS):
        if is_open and client is None:
            yield f"{host} is open for nobody"
        if is_open and is_deployed and is_custom and not (is_verified and owner == account):
            yield f"{host} is served without a proof"
    held = [name for (name,) in _rows(HOLDERS)]
    if len(held) > len(set(held)):
        yield "two holders of one name"


def wrong_at_rest() -> Iterator[str]:
    """What must hold when nothing is due any more."""
    for scope, kind, step, message in _rows(UNDER_WAY):
        yield f"a {scope} {kind} stands at {step} for ever: {message}"
    for name, is_deployed, dns, tls in _rows(CLIENTS):
        if (is_deployed, dns, tls) not in AT_REST:
            yield f"{name} is deployed {is_deployed}, {dns}, {tls}"
    for host, state, is_open, is_deployed, is_shown in _rows(HOSTS_AT_REST):
        yield from _wrong_host(host, state, bool(is_open), bool(is_deployed), bool(is_shown))
    for (account,) in _rows(LEAVING_DOMAINS):
        yield f"the domain of {account} is being removed for ever"


def _wrong_host(
    host: str, state: str, is_open: bool, is_deployed: bool, is_shown: bool
) -> Iterator[str]:
    is_wanted = is_deployed and state == States.CURRENT
    if state == States.LEAVING:
        yield f"{host} is leaving for ever"
    if is_open != is_wanted:
        yield f"{host} ({state}) is open {is_open}, deployed {is_wanted}"
    found = served.by_host(host)
    if (found is not None and found.is_open) != is_wanted:
        yield f"visitors of {host} are told otherwise"
    if is_shown != is_wanted:
        yield f"the edge shows a certificate for {host}: {is_shown}, wanted {is_wanted}"


def _rows(query: Select[Any]) -> Sequence[Row[Any]]:
    """As the driver reads them: words for states, and 0 and 1 for no and yes on SQLite."""
    connection = db.session.connection()
    return connection.exec_driver_sql(_text(query, connection.dialect)).all()


@lru_cache(maxsize=20)
def _text(query: Select[Any], dialect: Dialect) -> str:
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
