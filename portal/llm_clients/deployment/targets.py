"""What a run's step has to know, read from the rows in one go."""

from __future__ import annotations

from datetime import datetime

from portal.adapters import current_adapters
from portal.certificates import orders, store
from portal.certificates.models import Certificate
from portal.certificates.naming import certificate_name
from portal.certificates.ordering import zone_editor_of
from portal.certificates.orders import Wish
from portal.certificates.preflight import preflight
from portal.custom_domains import records, routing_records, zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.record_keeping import MANUAL
from portal.custom_domains.results import CheckResult, Checks, Verdicts
from portal.database import current_settings
from portal.dns import ZoneEditor
from portal.llm_clients import registration
from portal.llm_clients.deployment import effects
from portal.llm_clients.deployment.attempts import NOT_CHECKED, CustomHost, Finding, Target
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClientHost
from portal.vault.sealing import SealError

States = LLMClientHost.States
BEFORE_THE_CERTIFICATE = (Checks.EXISTS, Checks.OWNERSHIP, Checks.ROUTING, Checks.ISSUABLE)


def target_of(run: Deployment, now: datetime) -> Target:
    """The target of the run's next attempt."""
    settings = current_settings()
    current, leaving = _hosts(run)
    every = (*current, *leaving)
    names = tuple(host.hostname for host in current)
    found = {host.hostname: _certificate_of(host.hostname, run, now) for host in every}
    good = {name: certificate for name, certificate in found.items() if certificate}
    own = {name: certificate for name, certificate in good.items() if certificate.hostname == name}
    return Target(
        hosts=names,
        leaving_hosts=tuple(host.hostname for host in leaving),
        edge_address=settings.edge_address,
        edge_port=settings.edge_port,
        edge_host=settings.edge_host,
        custom={host.hostname: _custom(host) for host in every if host.custom_domain_id},
        serials={name: certificate.serial for name, certificate in good.items()},
        chains={name: certificate.chain_pem for name, certificate in own.items()},
        wishes=_wishes(run, [name for name in names if name not in good], now),
        platform_zone=settings.base_api_domain,
    )


def _certificate_of(host: str, run: Deployment, now: datetime) -> Certificate | None:
    """What the host is served with, or may share; at its end, what is left to be revoked."""
    if run.kind != Deployment.Kinds.DEPLOY:
        return store.unrevoked(host, now)
    found = store.good_certificate(host, now)
    name = certificate_name(host, current_settings())
    return found or (store.good_of_name(name, now) if name != host else None)


def _wishes(run: Deployment, hosts: list[str], now: datetime) -> dict[str, Wish]:
    """The certificates to ask for, their orders taken in hand; for one step only.

    Of an authority that counts orders one at a time: each is in its ledger before it is asked for.
    """
    if run.step != "request_certificate":
        return {}
    settings, account_id = current_settings(), run.llm_client.account_id
    names = {host: certificate_name(host, settings) for host in hosts}
    holder = effects.holder_of(run)
    next_ones = hosts[:1] if settings.issuer == "acme" else hosts
    return {host: orders.take(account_id, names[host], host, holder, now) for host in next_ones}


def _hosts(run: Deployment) -> tuple[list[LLMClientHost], list[LLMClientHost]]:
    is_custom = None if run.kind == Deployment.Kinds.DELETE else run.is_custom
    found = registration.hosts_of_id(
        run.llm_client_id, States.CURRENT, States.LEAVING, is_custom=is_custom
    )
    if run.kind != Deployment.Kinds.DEPLOY:
        return found, []
    return (
        [host for host in found if host.state == States.CURRENT],
        [host for host in found if host.state == States.LEAVING],
    )


def _custom(host: LLMClientHost) -> CustomHost:
    domain = host.custom_domain
    if domain is None:
        return CustomHost((), "", MANUAL, {}, finding=NOT_CHECKED)
    rows = [row for row in domain.dns_records if row.host == host.hostname]
    return CustomHost(
        records=routing_records.routing_of(domain, host.hostname, current_settings()),
        zone=records.zone_guess(domain.domain_name, domain.zone_name),
        editor=domain.zone_editor,
        editor_values=_editor_values(domain),
        is_unpublished=domain.zone_editor != MANUAL
        and any(row.published_by == MANUAL for row in rows),
        finding=_finding(domain, host.hostname),
    )


def _editor_values(domain: LLMClientCustomDomain) -> dict[str, str]:
    """Nothing, where a secret does not open or is gone: the editor then says what it misses."""
    try:
        return zone_editing.values_of(domain)
    except SealError:
        return {}


def _finding(domain: LLMClientCustomDomain, host: str) -> Finding | None:
    """The first check that does not pass of those that come before a certificate."""
    of_host = _before_the_certificate(domain, host)
    if not any(result.check == Checks.ISSUABLE and result.host == host for result in of_host):
        return NOT_CHECKED
    wrong = next((result for result in of_host if result.verdict != Verdicts.PASS), None)
    if wrong is None:
        return None
    return Finding(wrong.sentence, str(wrong.reason or ""), str(wrong.who_acts))


def _before_the_certificate(domain: LLMClientCustomDomain, host: str) -> list[CheckResult]:
    results = [CheckResult.from_json(values) for values in domain.check_results]
    return [
        result
        for result in results
        if result.check in BEFORE_THE_CERTIFICATE and result.host in (host, domain.domain_name)
    ]


@preflight
def domain_objects(host: str, now: datetime) -> str:
    """No authority is asked, not even to renew, while a check before the certificate is wrong.

    "Could not ask" and "not seen yet" are no objection: a deployment waits for them by itself, and
    a renewal must not fail because our resolver does.
    """
    domain = _domain_of(host)
    if domain is None:
        return ""
    results = _before_the_certificate(domain, host)
    wrong = (one.sentence for one in results if one.verdict == Verdicts.WRONG)
    return next(wrong, "")


@zone_editor_of
def editor_of_domain(host: str) -> ZoneEditor | None:
    """Who edits the zone of a host on a customer's domain."""
    domain = _domain_of(host)
    if domain is None:
        return None
    zone, values = domain.zone_name or domain.domain_name, _editor_values(domain)
    return current_adapters().customer_zone_editor(domain.zone_editor, zone, values)


def _domain_of(host: str) -> LLMClientCustomDomain | None:
    entry = registration.host_entry(host)
    return entry.custom_domain if entry is not None else None
