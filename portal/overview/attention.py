"""What somebody should look at beside failed deployments: domains in trouble, certificates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import url_for
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account
from portal.certificates import expiring
from portal.custom_domains import words
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.names import unicode_form
from portal.database import db
from portal.formatting import StatusView, status_view
from portal.llm_clients.models import LLMClientHost

States = LLMClientCustomDomain.States
MOST_DOMAINS = 5
CALM = ("ready", "progress", "off")


@dataclass(frozen=True)
class Attention:
    """A line of the card: what, why, who acts, since when."""

    name: str
    url: str
    status: StatusView
    sentence: str
    who: str
    since: datetime | None


def of_domains(account: Account) -> list[Attention]:
    """Domains that fail, that nobody looks at any more, or whose owner has to act."""
    query = (
        select(LLMClientCustomDomain)
        .where(
            LLMClientCustomDomain.account_id == account.id,
            or_(
                LLMClientCustomDomain.state.in_((States.PENDING, States.AT_RISK, States.PAUSED)),
                LLMClientCustomDomain.failing_since.is_not(None),
            ),
        )
        .order_by(LLMClientCustomDomain.failing_since, LLMClientCustomDomain.id)
        .limit(4 * MOST_DOMAINS)
    )
    lines = [_domain_line(found) for found in db.session.scalars(query)]
    return [line for line in lines if line is not None][:MOST_DOMAINS]


def _domain_line(custom_domain: LLMClientCustomDomain) -> Attention | None:
    results = words.results_of(custom_domain)
    status, reason = words.status_of(custom_domain, results)
    if status.token in CALM and custom_domain.state != States.PAUSED:
        return None
    worst = words.worst_of(results)
    return Attention(
        name=unicode_form(custom_domain.domain_name),
        url=url_for("custom_domains.show", custom_domain_id=custom_domain.id),
        status=status,
        sentence=f"{reason}.",
        who=words.WHO[worst.who_acts] if worst else "",
        since=custom_domain.failing_since or custom_domain.watched_since,
    )


def of_certificates(account: Account, now: datetime) -> list[Attention]:
    """Certificates that should have been renewed, the soonest to end first."""
    warnings = expiring.warnings(account.id, now)
    if not warnings:
        return []
    names = [host for warning in warnings for host in warning.hosts]
    query = (
        select(LLMClientHost)
        .where(LLMClientHost.account_id == account.id, LLMClientHost.hostname.in_(names))
        .options(joinedload(LLMClientHost.llm_client))
    )
    clients = {found.hostname: found.llm_client for found in db.session.scalars(query)}
    lines = []
    for warning in warnings:
        llm_client = next((clients[host] for host in warning.hosts if clients.get(host)), None)
        if llm_client is not None:
            url = url_for("llm_clients.show", llm_client_id=llm_client.hashed_id)
            word = "Expired" if warning.days_left == 0 else "Expires soon"
            lines.append(
                Attention(
                    name=llm_client.name,
                    url=url,
                    status=status_view("attention", word),
                    sentence=f"{warning.sentence} {warning.trouble}".strip(),
                    who="",
                    since=None,
                )
            )
    return lines
