"""The background: a worker that runs jobs, and the clock that finds what is due."""

from __future__ import annotations

import gc
import logging
import signal
import time
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from flask import Flask
from redis import RedisError
from rq.serializers import JSONSerializer
from rq.worker import Worker
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import configure_mappers

from portal.caching import cache
from portal.database import db, reading, utc_now
from portal.job_queue import (
    Doorbell,
    PortalJob,
    Ring,
    current_doorbell,
    job_name,
    rings_due,
)
from portal.llm_clients.deployment.jobs import remove_old_tombstones
from portal.llm_clients.deployment.rehearsal import rehearse
from portal.system import heartbeats
from portal.system.jobs import answer_the_clock

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
REDIS_PAUSE_SECONDS = 1.0
ASK_EVERY = timedelta(seconds=10)
CLEAN_EVERY = timedelta(seconds=60)


class PortalWorker(Worker):
    """A worker whose lost jobs are noticed soon, and that runs our jobs only."""

    job_class = PortalJob
    max_connection_wait_time = 2.0
    is_told_to_stop = False

    def request_stop(self, signum: Any, frame: Any) -> None:
        """RQ asks Redis what it is doing; a stop counts even when that is away."""
        self.is_told_to_stop = True
        super().request_stop(signum, frame)

    def get_heartbeat_ttl(self, job: Any, working_time: float = 0.0) -> int:
        return self.job_monitoring_interval + 15

    def main_work_horse(self, job: Any, queue: Any) -> None:
        """In the forked child: connections of the parent are not ours to use."""
        db.engine.dispose(close=False)
        super().main_work_horse(job, queue)


def run_worker(app: Flask) -> None:
    """Work until told to stop; a warm stop finishes the job at hand, a lost Redis is waited for."""
    with app.app_context():
        cache().forget()
        warm_up()
        while not _has_worked():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)  # nothing is at hand that had to be finished
            time.sleep(REDIS_PAUSE_SECONDS)


def warm_up() -> None:
    """Work out once what each forked child would work out anew: tables, statements, the engine.

    A child has a copy of all that is here. The collector leaves it alone, so that it stays shared.
    """
    configure_mappers()
    try:
        rehearse(utc_now())
    except SQLAlchemyError as error:
        log.warning("the worker begins without having asked the database: %s", error)
    db.session.remove()
    db.engine.dispose()
    gc.collect()
    gc.freeze()


def _has_worked() -> bool:
    """Work as one RQ worker to its end; whether that end was wanted."""
    doorbell: Doorbell = current_doorbell()
    worker = None
    try:
        worker = PortalWorker(
            [doorbell.queue],
            connection=doorbell.connection,
            serializer=JSONSerializer,
            job_class=PortalJob,
            worker_ttl=25,
            maintenance_interval=30,
            job_monitoring_interval=10,
        )
        worker.work(logging_level="WARNING")
    except (RedisError, OSError) as error:
        log.warning("the worker lost Redis and waits for it: %s", error)
    return worker is not None and worker.is_told_to_stop


class Clock:
    """Once a second: ring for every row that is due. Two clocks do no harm."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._asked_at: datetime | None = None
        self._cleaned_at: datetime | None = None
        self._stops = False

    def run(self) -> None:
        """Tick until SIGTERM or SIGINT; a fault of the database or of Redis is waited out."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stops:
            started = time.monotonic()
            with self._app.app_context():
                try:
                    self.tick(utc_now())
                except (SQLAlchemyError, RedisError, OSError) as error:
                    log.warning("the clock missed a tick: %s", error)
            time.sleep(max(0.05, TICK_SECONDS - (time.monotonic() - started)))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stops = True

    def tick(self, now: datetime) -> int:
        """Ring for what is due; how many rings that was."""
        doorbell = current_doorbell()
        with reading():
            due = list(rings_due(now))
            db.session.rollback()
        all(doorbell.ring(ring) for ring in due)  # the first that fails speaks for all
        if self._asked_at is None or now - self._asked_at >= ASK_EVERY:
            self._asked_at = now
            self._ask(doorbell, now)
        if self._cleaned_at is None or now - self._cleaned_at >= CLEAN_EVERY:
            self._cleaned_at = now
            self._clean(doorbell, now)
        return len(due)

    def _ask(self, doorbell: Doorbell, now: datetime) -> None:
        key = str(int(now.timestamp()) // int(ASK_EVERY.total_seconds()))
        doorbell.ring(Ring(job_name(answer_the_clock), (), key))
        heartbeats.note("clock", now)
        db.session.commit()

    def _clean(self, doorbell: Doorbell, now: datetime) -> None:
        remove_old_tombstones(now)
        heartbeats.note("cleaning", now)
        db.session.commit()
        doorbell.clean_up()
