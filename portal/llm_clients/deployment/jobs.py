"""The worker's part: claim a run, make one attempt, store what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete

from portal.accounts import audit
from portal.accounts.models import User
from portal.adapters import Adapters, current_adapters
from portal.database import db, utc_now
from portal.job_queue import Ring, claim, enqueue, job, rings_of, still_ours, sweep
from portal.llm_clients import registration
from portal.llm_clients.deployment import custom
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.attempts import Done, Failed, Result, Target
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.deployment.steps import attempt
from portal.llm_clients.deployment.targets import target_of
from portal.llm_clients.models import LLMClient, LLMClientHost

DUE_AT_ONCE = 200
AT_ONCE = 12  # steps in one job; more than any plan has


class Background:
    """The worker as the audit log sees it, on behalf of whoever started the run."""

    by = "job"
    address = ""

    def __init__(self, run: Deployment) -> None:
        self.account_id = run.llm_client.account_id
        self.user_id = run.started_by_id


@dataclass(frozen=True)
class Hand:
    """A run that somebody has in hand, by values; `generation` tells whether he still has it."""

    deployment_id: int
    generation: int
    step: str
    target: Target
    given_up: Failed | None


@job
def advance_deployment(deployment_id: int) -> None:
    """Attempts at a run's steps for as long as each comes true at once, each claimed anew.

    One that has to be repeated is rung for or waits for the clock: that is its pace.
    """
    for _ in range(AT_ONCE):
        hand = take(deployment_id, utc_now())
        if hand is None:
            return
        result = act(hand, current_adapters(), utc_now())
        if not store(hand, result, utc_now()) or not isinstance(result, Done):
            return


def take(deployment_id: int, now: datetime) -> Hand | None:
    """Claim a run and read what its step has to know; committed, so that nothing is locked."""
    run = claim(Deployment, deployment_id, now)
    if run is None or not run.is_active:
        db.session.rollback()
        return None
    hand = Hand(run.id, run.generation, run.step, target_of(run, now), deployment.broke_off(run))
    db.session.commit()
    return hand


def act(hand: Hand, adapters: Adapters, now: datetime) -> Result:
    """The attempt itself; touches no row."""
    return hand.given_up or attempt(deployment.STEPS[hand.step].act, hand.target, adapters, now)


def store(hand: Hand, result: Result, now: datetime) -> bool:
    """Keep what came of it, unless the run is somebody else's by now; whether it goes on."""
    run = still_ours(Deployment, hand.deployment_id, hand.generation)
    if run is None:
        db.session.rollback()
        return False
    domain_ids = custom.domains_of(run) if deployment.ends_with(run, result, now) else []
    deployment.record(run, hand.target, result, now)
    if not run.is_active:
        if run.kind != Deployment.Kinds.DEPLOY:
            custom.after_run(domain_ids, now)
        name = run.llm_client.name
        audit.record(Background(run), f"{run.kind}_{run.state}", run, name=name)
    goes_on = run.is_active
    is_opened = run.state == Deployment.States.DONE and run.kind == Deployment.Kinds.DEPLOY
    if not isinstance(result, Done):
        ring_for(run, now)
    db.session.commit()
    if is_opened:
        custom.look_again(domain_ids, now)
        db.session.commit()
    return goes_on


def begin(
    llm_client: LLMClient,
    kind: Deployment.Kinds,
    now: datetime,
    by: User | None,
    *,
    afresh: bool = False,
) -> Deployment:
    """Begin a run on the platform's hosts and, where there are any, one on customers' domains."""
    run = deployment.begin(llm_client, kind, now, by, afresh=afresh)
    ring_for(run, now)
    beside = None
    if kind == Deployment.Kinds.DEPLOY:
        beside = custom.open_custom_hosts(llm_client, now, by, afresh=afresh)
    elif kind == Deployment.Kinds.UNDEPLOY:
        beside = custom.close_custom_hosts(llm_client, now, by)
    if beside is not None:
        ring_for(beside, now)
    return run


def rename(llm_client: LLMClient, name: str, now: datetime, by: User | None) -> bool:
    """Give another name; whether the host changed. Who is on the way goes to the new host."""
    moved = registration.rename(llm_client, name)
    if moved:
        move(llm_client, now, by)
    return moved


def move(llm_client: LLMClient, now: datetime, by: User | None) -> None:
    """The client's host is another one: a deployment there, if it has one or is having one."""
    if custom.is_wanted(llm_client):
        begin(llm_client, Deployment.Kinds.DEPLOY, now, by, afresh=True)


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
