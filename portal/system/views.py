"""The machine room: workers, queue, schedule, versions. For everybody who signs in."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from flask import Blueprint, g, render_template
from flask_login import current_user
from redis import RedisError

from portal import __version__
from portal.database import current_settings, db, utc_now
from portal.formatting import StatusView, status_view
from portal.job_queue import QUEUE, current_doorbell
from portal.system import heartbeats, looks
from portal.web import ADMIN, permits

blueprint = Blueprint("system", __name__, url_prefix="/system")
SCHEDULE = {
    "clock": ("Finds due rows and rings for them", "every second", 30),
    "worker": ("Answers the clock", "every 10 seconds", 60),
    "cleaning": ("Forgets tombstones and abandoned jobs", "every minute", 180),
}
PACKAGES = ("flask", "sqlalchemy", "rq", "redis", "dnspython", "cryptography", "gunicorn")
AWAY = "Redis does not answer. Nothing is lost: due work is found in the database once it is back."


@dataclass(frozen=True)
class Worker:
    name: str
    state: str
    seen_at: datetime | None
    status: StatusView


@dataclass(frozen=True)
class QueueRow:
    name: str
    queued: int
    started: int
    failed: int
    oldest_at: datetime | None


@dataclass(frozen=True)
class Task:
    """One line of the schedule."""

    name: str
    every: str
    last_at: datetime | None
    status: StatusView


@blueprint.get("/")
@permits(ADMIN)
def index() -> str:
    """What works, what waits, what runs when."""
    workers, queues, notice = _from_redis()
    return render_template(
        "system/index.html",
        workers=workers,
        queues=queues,
        schedule=_schedule(),
        sections=looks.sections(g.account, current_user),
        versions=[("portal", __version__), ("python", platform.python_version())]
        + [(name, version(name)) for name in PACKAGES],
        store=_store(),
        notice=notice,
    )


def _from_redis() -> tuple[list[Worker], list[QueueRow], str | None]:
    doorbell = current_doorbell()
    now = utc_now()
    try:
        counts = doorbell.counts()
        workers = [_worker(name, state, seen, now) for name, state, seen in doorbell.workers()]
    except (RedisError, OSError):
        return [], [], AWAY
    return workers, [QueueRow(QUEUE, **counts, oldest_at=None)], None


def _worker(name: str, state: str, seen_at: datetime | None, now: datetime) -> Worker:
    is_alive = seen_at is not None and (now - seen_at).total_seconds() < 60
    look = status_view("ready", "Alive") if is_alive else status_view("failed", "Silent")
    return Worker(name[:12], state, seen_at, look)


def _schedule() -> list[Task]:
    now = utc_now()
    seen = {beat.name: beat.seen_at for beat in heartbeats.all_seen()}
    return [
        Task(text, every, seen.get(name), _look(seen.get(name), now, longest))
        for name, (text, every, longest) in SCHEDULE.items()
    ]


def _look(seen_at: datetime | None, now: datetime, longest: int) -> StatusView:
    if seen_at is None:
        return status_view("off", "Not yet")
    if (now - seen_at).total_seconds() > longest:
        return status_view("failed", "Late")
    return status_view("ready", "On time")


def _store() -> list[tuple[str, Any]]:
    settings = current_settings()
    engine = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[db.engine.dialect.name]
    return [
        ("Environment", settings.environment),
        ("Database", engine),
        ("Zone editor", settings.zone_editor),
        ("Certificate issuer", settings.issuer),
        ("Hosts end in", settings.base_api_domain),
    ]
