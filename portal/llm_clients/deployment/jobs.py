"""The worker's part: claim a run, make one attempt, store what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import delete

from portal.accounts import audit
from portal.adapters import current_adapters
from portal.certificates import orders, store
from portal.certificates.models import Certificate
from portal.certificates.naming import certificate_name
from portal.certificates.orders import Wish
from portal.database import current_settings, db, utc_now
from portal.job_queue import Ring, claim, enqueue, job, rings_of, still_ours, sweep
from portal.llm_clients import registration
from portal.llm_clients.deployment import effects
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.deployment.steps import Target, attempt
from portal.llm_clients.models import LLMClient, LLMClientHost

DUE_AT_ONCE = 200


class Background:
    """The worker as the audit log sees it, on behalf of whoever started the run."""

    by = "job"
    address = ""

    def __init__(self, run: Deployment) -> None:
        self.account_id = run.llm_client.account_id
        self.user_id = run.started_by_id


@job
def advance_deployment(deployment_id: int) -> None:
    """One attempt at one step of a run; the next one is rung for at once if it is due."""
    run = claim(Deployment, deployment_id, utc_now())
    if run is None or not run.is_active:
        db.session.rollback()
        return
    generation, step = run.generation, deployment.STEPS[run.step]
    given_up = deployment.broke_off(run)
    target = target_of(run, utc_now())
    db.session.commit()
    result = given_up or attempt(step.act, target, current_adapters(), utc_now())
    run = still_ours(Deployment, deployment_id, generation)
    if run is None:
        db.session.rollback()
        return
    now = utc_now()
    deployment.record(run, target, result, now)
    if not run.is_active:
        name = run.llm_client.name
        audit.record(Background(run), f"{run.kind}_{run.state}", run, name=name)
    ring_for(run, now)
    db.session.commit()


def ring_for(run: Deployment, now: datetime) -> None:
    """Ring for a run that is due; what is due later is the clock's."""
    if run.is_active and run.next_attempt_at is not None and run.next_attempt_at <= now:
        key = f"{run.id}-{run.generation}-{run.step}".replace("_", "-")
        enqueue(advance_deployment, run.id, key=key)


def target_of(run: Deployment, now: datetime) -> Target:
    """What the run's step has to know, read in one go."""
    settings = current_settings()
    current, leaving = _hosts(run.llm_client, run.kind)
    certificates = {host: _certificate_of(host, run, now) for host in (*current, *leaving)}
    good = {host: found for host, found in certificates.items() if found}
    own = {host: found for host, found in good.items() if found.hostname == host}
    return Target(
        hosts=current,
        leaving_hosts=leaving,
        edge_address=settings.edge_address,
        edge_port=settings.edge_port,
        serials={host: found.serial for host, found in good.items()},
        chains={host: found.chain_pem for host, found in own.items()},
        wishes=_wishes(run, [host for host in current if host not in good], now),
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
    """The certificates to ask for, their orders taken in hand; for one step only."""
    if run.step != "request_certificate":
        return {}
    settings, account_id = current_settings(), run.llm_client.account_id
    names = {host: certificate_name(host, settings) for host in hosts}
    holder = effects.holder_of(run)
    return {host: orders.take(account_id, names[host], host, holder, now) for host in hosts}


def _hosts(
    llm_client: LLMClient, kind: Deployment.Kinds
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    states = LLMClientHost.States
    found = registration.hosts_of(llm_client, states.CURRENT, states.LEAVING)
    if kind != Deployment.Kinds.DEPLOY:
        return tuple(host.hostname for host in found), ()
    return (
        tuple(host.hostname for host in found if host.state == states.CURRENT),
        tuple(host.hostname for host in found if host.state == states.LEAVING),
    )


@sweep
def due_deployments(now: datetime) -> Iterator[Ring]:
    """Runs that want an attempt: due, and in nobody's hands."""
    yield from rings_of(
        Deployment,
        advance_deployment,
        now,
        Deployment.state == Deployment.States.ACTIVE,
        most=DUE_AT_ONCE,
    )


def remove_old_tombstones(now: datetime) -> int:
    """Forget hosts whose time of reservation is over; how many there were."""
    removed = db.session.execute(
        delete(LLMClientHost).where(
            LLMClientHost.state == LLMClientHost.States.TOMBSTONE, LLMClientHost.kept_until < now
        )
    )
    return int(removed.rowcount)
