"""A client's certificates: of each host, how long, by whom, and what the authority counts."""

from __future__ import annotations

from typing import Any

from flask import render_template

from portal.certificates import authority_limits
from portal.certificates.page import CertificateView, certificate_view
from portal.database import utc_now
from portal.llm_clients import registration
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.llm_clients.pages.views import blueprint, owned_or_404
from portal.web import VIEWER, permits


@blueprint.get("/<public_id:llm_client_id>/certificates")
@permits(VIEWER)
def certificates(llm_client_id: str) -> Any:
    """Everything that is known of them; nothing here asks the outside."""
    llm_client = owned_or_404(llm_client_id)
    return render_template(
        "llm_clients/certificates.html",
        llm_client=llm_client,
        certificates=_views(llm_client),
        source=authority_limits.SOURCE,
        source_date=authority_limits.SOURCE_DATE,
    )


def _views(llm_client: LLMClient) -> list[CertificateView]:
    """The platform's host has the client's own word; of another host the certificate decides."""
    states, now, found = LLMClientHost.States, utc_now(), []
    for host in registration.hosts_of(llm_client, states.CURRENT, states.LEAVING):
        is_own = host.state == states.CURRENT and host.custom_domain_id is None
        word = str(llm_client.tls_certificate_issuance_status) if is_own else ""
        found.append(certificate_view(llm_client.account_id, host.hostname, word, now))
    return found
