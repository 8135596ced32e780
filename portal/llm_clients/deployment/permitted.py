"""Which hosts an edge that issues on demand may have a certificate for."""

from __future__ import annotations

from sqlalchemy import select

from portal.database import db
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost

Scopes = Deployment.Scopes
Dns = LLMClient.DnsVerificationStatusChoices


def may_have_certificate(host: str) -> bool:
    """A host that visitors use, or that is being opened and was seen to lead to us."""
    entry = db.session.scalar(
        select(LLMClientHost).where(
            LLMClientHost.hostname == host, LLMClientHost.llm_client_id.is_not(None)
        )
    )
    if entry is None or entry.llm_client is None or not entry.llm_client.account.is_active:
        return False
    return entry.is_open or _is_being_opened(entry)


def _is_being_opened(entry: LLMClientHost) -> bool:
    """A deployment is under way and saw the host lead to us."""
    is_custom = entry.custom_domain_id is not None
    run = db.session.scalar(
        select(Deployment.id).where(
            Deployment.llm_client_id == entry.llm_client_id,
            Deployment.scope == (Scopes.CUSTOM if is_custom else Scopes.DEFAULT),
            Deployment.kind == Deployment.Kinds.DEPLOY,
            Deployment.state == Deployment.States.ACTIVE,
        )
    )
    if run is None or entry.llm_client is None or entry.state != LLMClientHost.States.CURRENT:
        return False
    return entry.is_published if is_custom else is_seen(entry.llm_client)


def is_seen(llm_client: LLMClient) -> bool:
    """Whether the name servers were seen to answer with our address."""
    return llm_client.dns_verification_status == Dns.VERIFIED
