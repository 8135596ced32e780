"""Which hosts an edge that issues on demand may have a certificate for."""

from __future__ import annotations

from sqlalchemy import select

from portal.database import db
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost

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
    run = db.session.scalar(
        select(Deployment.plan).where(
            Deployment.llm_client_id == entry.llm_client_id,
            Deployment.kind == Deployment.Kinds.DEPLOY,
            Deployment.state == Deployment.States.ACTIVE,
        )
    )
    is_current = entry.state == LLMClientHost.States.CURRENT
    status = entry.llm_client.dns_verification_status if entry.llm_client else Dns.FAILED
    return run is not None and is_current and status == Dns.VERIFIED
