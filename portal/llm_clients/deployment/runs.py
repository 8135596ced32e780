"""Deployment, told as verbs on rows: begin, plan the next attempt, store what came of it, cancel.

A run has a `plan` (the keys of its steps) and stands at one `step`. A job claims the run, makes the
step's attempt outside any transaction, and hands the result to `record`. The row says when the next
attempt is due; nobody sleeps.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import User
from portal.database import db
from portal.llm_clients import signals
from portal.llm_clients.deployment import attempts, effects
from portal.llm_clients.deployment.models import Deployment, ProgressEvent
from portal.llm_clients.deployment.plans import STEPS, plan_of
from portal.llm_clients.models import LLMClient

Kinds, States, Scopes = Deployment.Kinds, Deployment.States, Deployment.Scopes
GIVE_UP_AFTER = timedelta(days=14)
MOST_BROKEN_OFF = 8


def active_run(
    llm_client: LLMClient, scope: Deployment.Scopes = Scopes.DEFAULT
) -> Deployment | None:
    """The run of the scope that is under way, if any."""
    return db.session.scalar(_active(llm_client, scope))


def _active(llm_client: LLMClient, scope: Deployment.Scopes) -> Select[tuple[Deployment]]:
    return select(Deployment).where(
        Deployment.llm_client_id == llm_client.id,
        Deployment.scope == scope,
        Deployment.state == States.ACTIVE,
    )


def _held(llm_client: LLMClient, scope: Deployment.Scopes) -> Deployment | None:
    """The active run, read anew and ours until we commit, as is the client.

    The run is locked first, as a worker does that stores what came of it. Who finds none waits for
    the client, and joins what another began meanwhile.
    """
    query = _active(llm_client, scope)
    fresh = {"populate_existing": True}
    run = db.session.scalar(query.with_for_update().execution_options(**fresh))
    client = select(LLMClient).where(LLMClient.id == llm_client.id)
    db.session.scalar(client.with_for_update(of=LLMClient).execution_options(**fresh))
    return run or db.session.scalar(query.execution_options(**fresh))


def last_run(llm_client: LLMClient, scope: Deployment.Scopes = Scopes.DEFAULT) -> Deployment | None:
    """The newest run of the scope, finished or not, with its timeline."""
    newest = select(func.max(Deployment.id)).where(
        Deployment.llm_client_id == llm_client.id, Deployment.scope == scope
    )
    query = (
        select(Deployment)
        .where(Deployment.id == newest.scalar_subquery())
        .options(joinedload(Deployment.revision), joinedload(Deployment.events))
    )
    return db.session.scalars(query).unique().one_or_none()


def begin(
    llm_client: LLMClient,
    kind: Deployment.Kinds,
    now: datetime,
    by: User | None,
    scope: Deployment.Scopes = Scopes.DEFAULT,
    *,
    afresh: bool = False,
) -> Deployment:
    """Start a run, due now. A run of the same kind is joined, another gives way.

    `afresh`: the hosts are others now, so what a run of the same kind did so far does not count.
    A deletion that has begun is not turned back; it takes the hosts of both scopes."""
    current = _held(llm_client, scope)
    if current is not None:
        if current.kind == Kinds.DELETE or (current.kind == kind and not afresh):
            return current
        _end(current, States.CANCELLED, now)
        db.session.flush()
    if kind == Kinds.DELETE and (other := _held(llm_client, Scopes.CUSTOM)) is not None:
        _end(other, States.CANCELLED, now)
    run = Deployment(
        llm_client=llm_client,
        llm_client_id=llm_client.id,
        scope=scope,
        kind=kind,
        plan=plan_of(llm_client, kind, scope),
        started_by=by,
        started_at=now,
        next_attempt_at=now,
        attempt=0,
        generation=0,
    )
    run.step = run.plan[0]
    effects.begun(run, now)
    db.session.add(run)
    _announce(run)
    db.session.flush()
    return run


def _announce(run: Deployment) -> None:
    if run.is_custom:
        return
    is_deployment = run.kind == Kinds.DEPLOY
    signal = signals.llm_client_deploy if is_deployment else signals.llm_client_undeploy
    signals.send_after_commit(signal, run.llm_client)


def record(
    run: Deployment, target: attempts.Target, result: attempts.Result, now: datetime
) -> None:
    """Store what an attempt at the run's step came to, and say when to look again.

    The effect comes first: its queries write what is new so far, and the run is written once.
    """
    if isinstance(result, attempts.Done):
        STEPS[run.step].effect(run, target, result, now)
        _tell(run, result)
        _go_on(run, now)
    elif isinstance(result, attempts.Wait) and not ends_with(run, result, now):
        effects.waiting(run, result, now)
        _tell(run, result)
        _wait(run, result, now)
    else:
        effects.failed(run, result, now)
        _tell(run, result)
        _end(run, States.FAILED, now)
        if not run.is_custom:
            signals.send_after_commit(signals.llm_client_deploy_failed, run.llm_client)


def ends_with(run: Deployment, result: attempts.Result, now: datetime) -> bool:
    """Whether the run is over once this is stored, well or not."""
    if isinstance(result, attempts.Done):
        return run.step == run.plan[-1]
    return isinstance(result, attempts.Failed) or now - run.started_at >= GIVE_UP_AFTER


def broke_off(run: Deployment) -> attempts.Failed | None:
    """The end of a run whose attempts die without a result, so that it does not try for ever."""
    if run.broken_off <= MOST_BROKEN_OFF:
        return None
    message = f"The worker broke off {MOST_BROKEN_OFF} times at this step; its log says why."
    return attempts.Failed(message, "broken_off", attempts.PLATFORM)


def _tell(run: Deployment, result: attempts.Result) -> None:
    """The result in the run's own row, and as a line of its timeline."""
    run.attempt += 1
    run.broken_off = 0
    run.leased_until = None
    run.message = result.message[:1000]
    run.reason = "" if isinstance(result, attempts.Done) else result.reason
    run.who_acts = "" if isinstance(result, attempts.Done) else result.who_acts
    event = ProgressEvent(
        deployment=run,
        step=run.step,
        attempt=run.attempt,
        result=type(result).__name__.lower(),
        message=run.message,
        reason=run.reason,
    )
    db.session.add(event)  # beside the earlier ones, which need not be read for it


def _go_on(run: Deployment, now: datetime) -> None:
    position = run.plan.index(run.step) + 1
    run.attempt = 0
    if position < len(run.plan):
        run.step = run.plan[position]
        run.next_attempt_at = now
    else:
        _end(run, States.DONE, now)


def _wait(run: Deployment, result: attempts.Wait, now: datetime) -> None:
    seconds = pause_seconds(run.attempt) if result.seconds is None else result.seconds
    run.next_attempt_at = now + timedelta(seconds=max(0.0, seconds))
    if result.back_to in run.plan:
        run.step = result.back_to


def pause_seconds(attempt: int) -> float:
    """Seconds before the attempt after `attempt` (1, 2, …): 1, 2, 5, 10, 20, 30, then each minute
    to the fifteenth, then 1.15 times longer each time, at most four hours."""
    first = (1, 2, 5, 10, 20, 30)
    if attempt <= len(first):
        return first[max(0, attempt - 1)]
    if attempt <= 20:
        return 60
    return float(min(4 * 3600, 60 * 1.15 ** (attempt - 20)))


def _end(run: Deployment, state: Deployment.States, now: datetime) -> None:
    run.state = state
    run.finished_at = now
    run.next_attempt_at = None
    run.leased_until = None
    run.generation += 1


def cancel(run: Deployment, now: datetime, by: User | None) -> Deployment | None:
    """End an active deployment; what it has published so far is withdrawn by the run returned.

    A client that visitors use already (a rename under way) keeps its old address.
    """
    if _held(run.llm_client, run.scope) is not run or run.kind != Kinds.DEPLOY:
        return None
    _end(run, States.CANCELLED, now)
    db.session.flush()
    if run.llm_client.deployed and not run.is_custom:
        return None
    return begin(run.llm_client, Kinds.UNDEPLOY, now, by, run.scope)


def try_now(run: Deployment, now: datetime) -> bool:
    """Make a waiting run due at once; False when it is not waiting."""
    if not run.is_active or run.next_attempt_at is None or run.next_attempt_at <= now:
        return False
    run.next_attempt_at = now
    return True
