"""What other parts may listen to: sent once per change, after the commit, by pages and jobs.

Receivers get the signal's sender (the LLMClient class) and `llm_client`, the row as committed.
"""

from __future__ import annotations

from typing import Any

from blinker import NamedSignal, Namespace
from sqlalchemy import event, inspect
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.caching import forget_after_commit
from portal.certificates.models import Certificate, SharedCertificateHost
from portal.database import after_commit
from portal.limits.models import Limits
from portal.llm_clients.models import (
    LLMClient,
    LLMClientAPIKey,
    LLMClientCustomDomain,
    LLMClientFunctions,
    LLMClientHost,
    LLMClientPlugin,
    LLMClientRevision,
)
from portal.plugins.models import Plugin
from portal.providers.models import Provider, ProviderCredential
from portal.vault.models import AuthToken, Secret

_signals = Namespace()
llm_client_deploy = _signals.signal("llm_client_deploy")
llm_client_undeploy = _signals.signal("llm_client_undeploy")
llm_client_deployed = _signals.signal("llm_client_deployed")
llm_client_deploy_failed = _signals.signal("llm_client_deploy_failed")
llm_client_deploy_status_changed = _signals.signal("llm_client_deploy_status_changed")
llm_client_dns_verification_initiated = _signals.signal("llm_client_dns_verification_initiated")
llm_client_dns_verification_status_changed = _signals.signal(
    "llm_client_dns_verification_status_changed"
)
llm_client_dns_verified = _signals.signal("llm_client_dns_verified")
llm_client_dns_failed = _signals.signal("llm_client_dns_failed")
llm_client_tls_status_changed = _signals.signal("llm_client_tls_status_changed")
llm_client_called = _signals.signal("llm_client_called")

_DNS_SIGNALS = {
    LLMClient.DnsVerificationStatusChoices.VERIFYING: llm_client_dns_verification_initiated,
    LLMClient.DnsVerificationStatusChoices.VERIFIED: llm_client_dns_verified,
    LLMClient.DnsVerificationStatusChoices.FAILED: llm_client_dns_failed,
}
# A change of any of these is seen by all processes' caches.
_CACHED = (
    Account,
    AuthToken,
    Certificate,
    Limits,
    LLMClient,
    LLMClientAPIKey,
    LLMClientCustomDomain,
    LLMClientFunctions,
    LLMClientHost,
    LLMClientPlugin,
    LLMClientRevision,
    Plugin,
    Provider,
    ProviderCredential,
    Secret,
    SharedCertificateHost,
)

# Thousands of domains are looked at all day: only this of them is served.
_SERVED_OF_A_DOMAIN = ("account_id", "domain_name", "is_verified", "state")


def send_after_commit(signal: NamedSignal, llm_client: LLMClient) -> None:
    """Send a signal about a client once the running transaction is committed."""
    after_commit(lambda: _send(signal, llm_client))


def _send(signal: NamedSignal, llm_client: LLMClient) -> None:
    signal.send(LLMClient, llm_client=llm_client)


@event.listens_for(Session, "before_flush")
def _watch(session: Session, context: Any, instances: Any) -> None:
    changed = [row for row in session.dirty if session.is_modified(row)]
    others = (*session.new, *session.deleted)
    if any(map(_is_served, changed)) or any(isinstance(row, _CACHED) for row in others):
        forget_after_commit()
    for row in changed:
        if isinstance(row, LLMClient) and not row.is_quiet:
            _announce(session, row)


def _is_served(row: Any) -> bool:
    """Whether the change is one that visitors may see."""
    if not isinstance(row, LLMClientCustomDomain):
        return isinstance(row, _CACHED)
    attributes = inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in _SERVED_OF_A_DOMAIN)


def _announce(session: Session, llm_client: LLMClient) -> None:
    for signal in changes_of(llm_client):
        after_commit(lambda signal=signal: _send(signal, llm_client), session)  # type: ignore[misc]


def changes_of(llm_client: LLMClient) -> list[NamedSignal]:
    """The signals that the row's unflushed changes of status call for."""
    attributes = inspect(llm_client).attrs
    found: list[NamedSignal] = []
    if attributes.deployed.history.has_changes():
        found.append(llm_client_deploy_status_changed)
        if llm_client.deployed:
            found.append(llm_client_deployed)
    if attributes.dns_verification_status.history.has_changes():
        found.append(llm_client_dns_verification_status_changed)
        if llm_client.dns_verification_status in _DNS_SIGNALS:
            found.append(_DNS_SIGNALS[llm_client.dns_verification_status])
    if attributes.tls_certificate_issuance_status.history.has_changes():
        found.append(llm_client_tls_status_changed)
    return found
