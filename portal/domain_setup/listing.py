"""The rows of the list of domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.custom_domains import names, words
from portal.custom_domains.models import LLMClientCustomDomain
from portal.domain_setup import finding
from portal.formatting import StatusView

MOST_NAMES = 3


@dataclass(frozen=True)
class Row:
    """A domain in the list: what, why, who acts, when next, for whom."""

    id: int
    name: str
    shown: str
    status: StatusView
    reason: str
    who: str
    next_look_at: datetime | None
    checked_at: datetime | None
    clients: tuple[str, ...]
    more_clients: int


def rows(custom_domains: Sequence[LLMClientCustomDomain]) -> list[Row]:
    """Two queries for any number of domains."""
    clients = finding.client_names(custom_domains)
    return [_row(custom_domain, clients[custom_domain.id]) for custom_domain in custom_domains]


def _row(custom_domain: LLMClientCustomDomain, clients: list[str]) -> Row:
    results = words.results_of(custom_domain)
    status, reason = words.status_of(custom_domain, results)
    worst = words.worst_of(results)
    return Row(
        id=custom_domain.id,
        name=custom_domain.domain_name,
        shown=names.unicode_form(custom_domain.domain_name),
        status=status,
        reason=reason,
        who=words.WHO[worst.who_acts] if worst else "Nobody has to act.",
        next_look_at=custom_domain.next_attempt_at,
        checked_at=custom_domain.checked_at,
        clients=tuple(clients[:MOST_NAMES]),
        more_clients=max(0, len(clients) - MOST_NAMES),
    )
