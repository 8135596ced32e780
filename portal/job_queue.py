"""The doorbell: jobs by name, rung after the commit. Beside worker.py the only importer of rq.

The row is the truth. A ring that gets lost (Redis away, flushed, a worker killed) is repeated by
the clock, which looks for due rows. So a job takes ids only, claims its row, and may run twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, current_app
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.worker import Worker
from sqlalchemy import or_, select, update

from portal.database import after_commit, current_settings, db

log = logging.getLogger(__name__)

QUEUE = "portal"
JOB_SECONDS = 60
REDIS_SECONDS = 0.5  # a page that changes something asks twice
RING_AGAIN_SECONDS = 10

JobFunction = Callable[..., None]
DueRows = Callable[[datetime], Iterable["Ring"]]


@dataclass(frozen=True)
class Ring:
    """One wish that a job look at a row. `key` thins out equal wishes: letters, digits, _ and -."""

    name: str
    arguments: tuple[int, ...]
    key: str


class ForeignJobError(Exception):
    """Something in the queue is not one of our jobs; it is not run."""


class PortalJob(Job):
    """A job of ours: only `perform` may be called, and nothing else in the record is obeyed.

    RQ resolves any dotted name that it finds in Redis, callbacks and web-hooks included.
    """

    def restore(self, raw_data: Any) -> Any:
        result = super().restore(raw_data)
        for kind in ("success", "failure", "stopped"):
            setattr(self, f"_{kind}_callback_name", None)
            setattr(self, f"_{kind}_callback", None)
        self.webhooks = []
        return result

    @property
    def func(self) -> Any:
        if self.func_name != f"{__name__}.perform":
            raise ForeignJobError(f"{self.func_name!r} is not a job of the portal")
        return perform


_jobs: dict[str, JobFunction] = {}
_sweeps: list[DueRows] = []


def job(function: JobFunction) -> JobFunction:
    """Make a function callable by the worker, under its slice's name and its own."""
    _jobs[job_name(function)] = function
    return function


def job_name(function: JobFunction) -> str:
    """`deployment.advance_deployment` for a function of `portal.llm_clients.deployment.jobs`."""
    return f"{function.__module__.split('.')[-2]}.{function.__name__}"


def sweep(due_rows: DueRows) -> DueRows:
    """Let the clock ask this function, each second, which rows want a job."""
    _sweeps.append(due_rows)
    return due_rows


def perform(name: str, *arguments: int) -> None:
    """Run a job in its own application context; what the worker calls."""
    if name not in _jobs:
        raise ForeignJobError(f"{name!r} is not a job of the portal")
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    with app.app_context():
        _jobs[name](*arguments)


def enqueue(function: JobFunction, *arguments: int, key: str) -> None:
    """Ring for a job when the running transaction is committed; a rollback forgets it."""
    ring = Ring(job_name(function), arguments, key)
    doorbell = current_doorbell()
    after_commit(lambda: doorbell.ring(ring))


def rings_due(now: datetime) -> Iterator[Ring]:
    """All rows that want a job now, from every slice."""
    for due_rows in _sweeps:
        yield from due_rows(now)


class Doorbell:
    """Rings RQ, and tells what RQ knows. Nothing here raises when Redis is away."""

    def __init__(self, connection: Redis) -> None:
        self.connection = connection
        self.queue = Queue(
            QUEUE, connection=connection, serializer=JSONSerializer, job_class=PortalJob
        )

    def ring(self, ring: Ring) -> bool:
        """Whether the wish is in the queue now; False when Redis did not take it."""
        try:
            self.queue.enqueue_call(
                f"{__name__}.perform",
                args=(ring.name, *ring.arguments),
                job_id=f"{ring.name.replace('.', '-')}-{ring.key}",
                timeout=JOB_SECONDS,
                result_ttl=0,
                failure_ttl=86_400,
                unique=True,
            )
        except DuplicateJobError:
            return True
        except (RedisError, OSError) as error:
            log.warning("could not ring for %s: %s", ring.name, error)
            return False
        return True

    def clean_up(self) -> None:
        """Move what a killed worker left behind to the failed jobs."""
        StartedJobRegistry(queue=self.queue).cleanup()

    def counts(self) -> dict[str, int]:
        """Jobs by state; raises RedisError when Redis is away."""
        return {
            "queued": self.queue.count,
            "started": StartedJobRegistry(queue=self.queue).get_job_count(cleanup=False),
            "failed": FailedJobRegistry(queue=self.queue).get_job_count(cleanup=False),
        }

    def workers(self) -> list[tuple[str, str, datetime | None]]:
        """Name, state and last heartbeat of each worker; raises RedisError when Redis is away."""
        found = Worker.all(connection=self.connection, serializer=JSONSerializer)
        return [(worker.name, worker.get_state(), worker.last_heartbeat) for worker in found]


class SilentDoorbell:
    """For commands that need no worker: the clock will find what they left due."""

    def ring(self, ring: Ring) -> bool:
        return False


def connect_redis(url: str) -> Redis:
    """A connection that gives up soon: pages wait for nobody."""
    return Redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        driver_info=None,  # looked up in redis-py's package for each connection of each forked job
    )


def init_app(app: Flask, doorbell: Doorbell | SilentDoorbell) -> None:
    app.extensions["portal_doorbell"] = doorbell


def current_doorbell() -> Doorbell:
    doorbell: Doorbell = current_app.extensions["portal_doorbell"]
    return doorbell


def claim(model: type[Any], row_id: int, now: datetime) -> Any | None:
    """Take a due row for one step, and commit; None if somebody else has it or it is not due.

    The row's `generation` is the fencing number: see `still_ours`.
    """
    lease = now + timedelta(seconds=current_settings().job_lease_seconds)
    row = db.session.scalar(
        update(model)
        .where(model.id == row_id, model.next_attempt_at <= now)
        .where(or_(model.leased_until.is_(None), model.leased_until < now))
        .values(
            leased_until=lease,
            generation=model.generation + 1,
            broken_off=model.broken_off + 1,
            attempted_at=now,
        )
        .returning(model)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    db.session.commit()
    return row


def still_ours(model: type[Any], row_id: int, generation: int) -> Any | None:
    """The row, locked for writing, if nobody claimed or changed it since `generation`."""
    return db.session.scalar(
        select(model)
        .where(model.id == row_id, model.generation == generation)
        .with_for_update(of=model)
        .execution_options(populate_existing=True)
    )


def rings_of(
    model: type[Any], function: JobFunction, now: datetime, *conditions: Any, most: int
) -> Iterator[Ring]:
    """A ring for each row that is due and in nobody's hands, the longest due first."""
    query = (
        select(model.id, model.generation, model.next_attempt_at)
        .where(*conditions, model.next_attempt_at <= now)
        .where(or_(model.leased_until.is_(None), model.leased_until < now))
        .order_by(model.next_attempt_at)
        .limit(most)
    )
    for row_id, generation, due_at in db.session.execute(query):
        yield Ring(job_name(function), (row_id,), ring_key(row_id, generation, due_at, now))


def ring_key(row_id: int, generation: int, due_at: datetime, now: datetime) -> str:
    """One ring per claim, and another each 10 s that the row waits in vain."""
    overdue = max(0, int((now - due_at).total_seconds()))
    return f"{row_id}-{generation}-{overdue // RING_AGAIN_SECONDS}"
