"""A client's word for its certificate, where that changes outside a deployment.

It is about the platform's host; a host on a customer's domain has the checks of that domain.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.certificates.signals import certificate_expired, certificate_issued
from portal.database import db
from portal.llm_clients.models import LLMClient, LLMClientHost

Tls = LLMClient.TlsCertificateIssuanceStatusChoices


@certificate_expired.connect
def _expired(sender: Any, hosts: Iterable[str], now: datetime) -> None:
    """Not before it has: a renewal that fails for weeks harms no visitor."""
    _change(hosts, Tls.ISSUED, Tls.FAILED)


@certificate_issued.connect
def _issued(sender: Any, hosts: Iterable[str], now: datetime) -> None:
    """A renewal that came too late; clients that are not deployed have a deployment to tell it."""
    _change(hosts, Tls.FAILED, Tls.ISSUED)


def _change(hosts: Iterable[str], before: str, after: str) -> None:
    query = (
        select(LLMClient)
        .join(LLMClientHost, LLMClientHost.llm_client_id == LLMClient.id)
        .where(LLMClientHost.hostname.in_(list(hosts)), LLMClient.deployed)
        .where(LLMClientHost.custom_domain_id.is_(None))
        .where(LLMClientHost.state == LLMClientHost.States.CURRENT)
        .where(LLMClient.tls_certificate_issuance_status == before)
    )
    for llm_client in db.session.scalars(query).unique():
        llm_client.tls_certificate_issuance_status = after
