"""What the rooms above know of the hosts on a domain: asked for here, answered there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from portal.custom_domains.models import LLMClientCustomDomain
from portal.tls.probe import Probe


@dataclass(frozen=True)
class DomainHost:
    """One client's host on a domain, as the checks have to know it.

    `is_wanted_open`: its client is deployed. `is_open`: visitors are answered there.
    `chain_pem`: our certificate for it, empty while there is none. `client_public_id` is what the
    host itself answers when it is asked who it is. `certificate_reason` and `certificate_detail`:
    what keeps a certificate from coming, in code and in the other side's words; with
    `is_certificate_refused` the authority ended the order, else it waits for something.
    `last_request_at`: when a visitor last asked something there, as far as it is known.
    """

    host: str
    llm_client_id: int
    llm_client_name: str
    client_public_id: str
    is_wanted_open: bool
    is_open: bool
    chain_pem: str = ""
    serial: str = ""
    certificate_reason: str = ""
    certificate_detail: str = ""
    is_certificate_refused: bool = False
    next_certificate_attempt_at: datetime | None = None
    last_request_at: datetime | None = None


HostsOf = Callable[[LLMClientCustomDomain, datetime], tuple[DomainHost, ...]]
Changed = Callable[[LLMClientCustomDomain, datetime], None]
Shown = tuple[tuple[str, Probe], ...]  # hosts with what a handshake at our edge showed
Visited = Callable[[LLMClientCustomDomain, Shown, datetime], None]

_hosts_of: list[HostsOf] = []
_changed: list[Changed] = []
_visited: list[Visited] = []


def provide_hosts(function: HostsOf) -> HostsOf:
    """Register who knows the hosts on a domain: the clients that are attached to it."""
    _hosts_of[:] = [function]
    return function


def on_change(function: Changed) -> Changed:
    """Register what follows, in the same transaction, when a domain becomes or stops being ours."""
    _changed.append(function)
    return function


def on_visit(function: Visited) -> Visited:
    """Register who wants to know what a check saw of certificates, in its transaction."""
    _visited.append(function)
    return function


def hosts_on(custom_domain: LLMClientCustomDomain, now: datetime) -> tuple[DomainHost, ...]:
    """The hosts on a domain, verified or not, in the order of their clients' names."""
    return _hosts_of[0](custom_domain, now) if _hosts_of else ()


def announce_change(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Tell everybody who listens that `is_verified` or the state changed; before the commit."""
    for function in _changed:
        function(custom_domain, now)


def announce_visit(custom_domain: LLMClientCustomDomain, shown: Shown, now: datetime) -> None:
    """Tell everybody who listens what a check has just seen; before the commit."""
    for function in _visited:
        function(custom_domain, shown, now)
