"""The worker's part: claim a run, make one attempt, store what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import delete

from portal.accounts import audit
from portal.accounts.models import User
from portal.adapters import current_adapters
from portal.database import db, utc_now
from portal.job_queue import Ring, claim, enqueue, job, rings_of, still_ours, sweep
from portal.llm_clients.deployment import custom
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.deployment.steps import attempt
from portal.llm_clients.deployment.targets import target_of
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
    domain_ids = custom.domains_of(run)
    deployment.record(run, target, result, now)
    if not run.is_active:
        if run.kind != Deployment.Kinds.DEPLOY:
            custom.after_run(domain_ids, now)
        name = run.llm_client.name
        audit.record(Background(run), f"{run.kind}_{run.state}", run, name=name)
    ring_for(run, now)
    db.session.commit()
    if run.state == Deployment.States.DONE and run.kind == Deployment.Kinds.DEPLOY:
        custom.look_again(domain_ids, now)
        db.session.commit()


def begin(
    llm_client: LLMClient, kind: Deployment.Kinds, now: datetime, by: User | None
) -> Deployment:
    """Begin a run on the platform's hosts and, where there are any, one on customers' domains."""
    run = deployment.begin(llm_client, kind, now, by)
    ring_for(run, now)
    beside = None
    if kind == Deployment.Kinds.DEPLOY:
        beside = custom.open_custom_hosts(llm_client, now, by)
    elif kind == Deployment.Kinds.UNDEPLOY:
        beside = custom.close_custom_hosts(llm_client, now, by)
    if beside is not None:
        ring_for(beside, now)
    return run


def cancel(run: Deployment, now: datetime, by: User | None) -> Deployment | None:
    """End a deployment; where that leaves the client closed, its hosts on domains close too."""
    cleaning = deployment.cancel(run, now, by)
    if cleaning is None:
        return None
    ring_for(cleaning, now)
    if not run.is_custom and (beside := custom.close_custom_hosts(run.llm_client, now, by)):
        ring_for(beside, now)
    return cleaning


def ring_for(run: Deployment, now: datetime) -> None:
    """Ring for a run that is due; what is due later is the clock's."""
    if run.is_active and run.next_attempt_at is not None and run.next_attempt_at <= now:
        key = f"{run.id}-{run.generation}-{run.step}".replace("_", "-")
        enqueue(advance_deployment, run.id, key=key)


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
