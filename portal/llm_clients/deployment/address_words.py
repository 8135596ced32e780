"""What is said of DNS and TLS of each address of a client: values for pages, from rows only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.formatting import StatusView, enum_view
from portal.llm_clients.models import LLMClient, LLMClientHost


@dataclass(frozen=True)
class AddressLine:
    """One host with what the portal saw of its DNS and TLS."""

    host: str
    url: str
    label: str
    is_open: bool
    dns_status: StatusView
    dns_sentence: str
    tls_status: StatusView
    tls_sentence: str


def address_line(
    llm_client: LLMClient, host: LLMClientHost, url: str, not_after: datetime | None, issuer: str
) -> AddressLine:
    """The line of one host; the statuses belong to the current host, a leaving one still works."""
    is_current = host.state == LLMClientHost.States.CURRENT
    dns, tls = _host_words(llm_client, host, is_certified=not_after is not None)
    until = (
        f"{issuer}, valid until {not_after:%Y-%m-%d}"
        if not_after
        else "Requested once DNS is verified"
    )
    return AddressLine(
        host=host.hostname,
        url=url,
        label=_host_label(host, is_current=is_current),
        is_open=host.is_open,
        dns_status=dns,
        dns_sentence=(CUSTOM_DNS_SENTENCES if host.custom_domain_id else DNS_SENTENCES)[dns.word],
        tls_status=tls,
        tls_sentence=until,
    )


def _host_words(
    llm_client: LLMClient, host: LLMClientHost, *, is_certified: bool
) -> tuple[StatusView, StatusView]:
    """DNS and TLS of one host; of a customer's host only what a run has seen counts."""
    if host.state != LLMClientHost.States.CURRENT:
        return enum_view("Verified"), enum_view("Issued")
    if host.custom_domain_id is None:
        return (
            enum_view(llm_client.dns_verification_status),
            enum_view(llm_client.tls_certificate_issuance_status),
        )
    if not host.is_published:
        word = "Verifying" if llm_client.deployed else "Not Verified"
        return enum_view(word), enum_view("No Certificate")
    return enum_view("Verified"), enum_view("Issued" if is_certified else "Requested")


def _host_label(host: LLMClientHost, *, is_current: bool) -> str:
    if not is_current:
        return "old host, goes when the new one is ready"
    return "customer’s domain" if host.custom_domain_id else "platform host"


CUSTOM_DNS_SENTENCES = {
    "Verifying": "The domain’s page says what is missing",
    "Not Verified": "Looked for when you deploy",
    "Verified": "The domain’s checks passed",
}
DNS_SENTENCES = {
    "Verifying": "We are asking the name servers",
    "Not Verified": "Published when you deploy",
    "Verified": "The name servers answer with our address",
    "Failed": "See the deployment above",
}
