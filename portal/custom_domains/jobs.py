"""The worker's part: many domains looked at side by side, each stored by itself.

A round of checks waits for other people's servers nearly all the time, so one job looks at a batch
in threads. Those whose servers are slow have a lane of their own and delay nobody else.
"""

from __future__ import annotations

import logging
import random
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError, OperationalError

from portal.adapters import Adapters, current_adapters
from portal.custom_domains import (
    bulk,
    holding,
    looks,
    record_keeping,
    surroundings,
    verification,
)
from portal.custom_domains.diagnosis import Diagnosis, diagnose
from portal.custom_domains.hosts import Shown, announce_change, announce_visit
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.observations import Question
from portal.custom_domains.observing import Outside, observe
from portal.custom_domains.questions import Prepared, prepare
from portal.custom_domains.records import zone_guess
from portal.custom_domains.zone_editing import values_of
from portal.database import current_settings, db, utc_now
from portal.errors import AdapterError, PortalError
from portal.job_queue import Ring, claim, enqueue, job, job_name, ring_key, still_ours, sweep

log = logging.getLogger(__name__)

States = LLMClientCustomDomain.States
BATCH = 128  # domains looked at side by side
LOOKUPS = 128  # questions of a batch under way
LIVE_BATCH = 10_000
MOST_DUE = 10_000
MOST_BROKEN_OFF = 5
PAUSE_AFTER_BREAKING_OFF = timedelta(hours=1)
REMOVED_AGAIN_AFTER = timedelta(seconds=30)


@dataclass(frozen=True)
class Task:
    """One domain in hand; values only, for a thread."""

    custom_domain_id: int
    generation: int
    prepared: Prepared
    zone: str
    editor: str
    editor_values: dict[str, str]
    publishes: bool

    @property
    def question(self) -> Question:
        return self.prepared.question


@dataclass(frozen=True)
class Outcome:
    question: Question
    diagnosis: Diagnosis
    standing: tuple[tuple[str, str], ...] = ()
    shown: Shown = ()


@job
def verify_custom_domain(custom_domain_id: int) -> None:
    """Look at one domain and store what that means."""
    _verify((custom_domain_id,))


def ring_for(custom_domain: LLMClientCustomDomain) -> None:
    """Let the look begin with this commit, not with the clock's next tick."""
    key = f"{custom_domain.id}-{custom_domain.generation}"
    enqueue(verify_custom_domain, custom_domain.id, key=key)


@job
def verify_custom_domains(*custom_domain_ids: int) -> None:
    """The same for several side by side; each is claimed and stored by itself."""
    _verify(custom_domain_ids)


@job
def recheck_live_domains(*custom_domain_ids: int) -> None:
    """A short look at many that work; whoever does not answer as ever gets a whole round soon."""
    now = utc_now()
    live = bulk.claim_live(custom_domain_ids, now)
    db.session.commit()
    answers = bulk.ask_all(current_adapters().resolver, live)
    same = [one for one, found in zip(live, answers, strict=True) if bulk.is_unchanged(one, found)]
    bulk.keep(live, same, utc_now())
    db.session.commit()


@sweep
def due_domains(now: datetime) -> Iterator[Ring]:
    """Domains that are due and in nobody's hands, in lanes: quick ones, live ones, slow ones."""
    lanes: dict[str, list[tuple[int, str]]] = {}
    for row_id, generation, due_at, step in db.session.execute(_due(now)):
        lane = lanes.setdefault(step, [])
        lane.append((row_id, ring_key(row_id, generation, due_at, now)))
    live = lanes.pop(looks.LIVE, [])
    slow = lanes.pop(looks.SLOW, [])
    quick = [one for lane in lanes.values() for one in lane]
    for batch in _batches(quick, BATCH):
        yield _ring(verify_custom_domains, batch)
    for batch in _batches(live, LIVE_BATCH):
        yield _ring(recheck_live_domains, batch)
    for batch in _batches(slow[:BATCH], BATCH):
        yield _ring(verify_custom_domains, batch)


def _due(now: datetime) -> Any:
    table = LLMClientCustomDomain
    return (
        select(table.id, table.generation, table.next_attempt_at, table.step)
        .where(table.next_attempt_at <= now)
        .where(or_(table.leased_until.is_(None), table.leased_until < now))
        .order_by(table.next_attempt_at)
        .limit(MOST_DUE)
    )


def _batches(due: Sequence[tuple[int, str]], size: int) -> Iterator[Sequence[tuple[int, str]]]:
    for start in range(0, len(due), size):
        yield due[start : start + size]


def _ring(function: Any, batch: Sequence[tuple[int, str]]) -> Ring:
    keys = " ".join(key for _, key in batch)
    name = f"{len(batch)}-{zlib.crc32(keys.encode()):08x}"
    return Ring(job_name(function), tuple(row_id for row_id, _ in batch), name)


def _verify(custom_domain_ids: Sequence[int]) -> None:
    tasks = [task for one in custom_domain_ids if (task := _begin(one)) is not None]
    if not tasks:
        return
    adapters, settings = current_adapters(), current_settings()
    surroundings.stand_target(adapters, settings)
    with ThreadPoolExecutor(LOOKUPS) as threads, ThreadPoolExecutor(len(tasks)) as rounds:
        outside = surroundings.outside_of(adapters, settings, threads)
        under_way = {rounds.submit(_look, task, adapters, outside): task for task in tasks}
        for future in as_completed(under_way):
            _store(under_way[future], future.result())


def _begin(custom_domain_id: int) -> Task | None:
    """Claim the domain and read what its round has to know; None where there is no round."""
    now = utc_now()
    custom_domain = claim(LLMClientCustomDomain, custom_domain_id, now)
    if custom_domain is None:
        db.session.commit()
        return None
    if custom_domain.state == States.REMOVING:
        _clear_away(custom_domain, now)
        return None
    if custom_domain.broken_off > MOST_BROKEN_OFF:
        custom_domain.next_attempt_at = now + PAUSE_AFTER_BREAKING_OFF
        verification.finish(custom_domain)
        db.session.commit()
        return None
    try:
        task = _task(custom_domain, now)
        db.session.commit()
    except IntegrityError:  # its row went between the claim and here
        db.session.rollback()
        return None
    return task


def _task(custom_domain: LLMClientCustomDomain, now: datetime) -> Task:
    trouble, values = "", {}
    try:
        values = values_of(custom_domain)
    except PortalError as error:
        trouble = error.public_message
    prepared = prepare(custom_domain, now, current_settings(), trouble)
    return Task(
        custom_domain_id=custom_domain.id,
        generation=custom_domain.generation,
        prepared=prepared,
        zone=zone_guess(custom_domain.domain_name, custom_domain.zone_name),
        editor=custom_domain.zone_editor,
        editor_values=values,
        publishes=record_keeping.has_unpublished(custom_domain),
    )


def _look(task: Task, adapters: Adapters, outside: Outside) -> Outcome:
    """The round itself, in a thread: publish, look, judge."""
    question = task.question
    standing: tuple[tuple[str, str], ...] = ()
    if task.editor != record_keeping.MANUAL and (task.publishes or task.prepared.gone):
        standing, trouble = _publish(task, adapters)
        question = replace(question, editor_trouble=trouble or question.editor_trouble)
    now = utc_now()
    observed = observe(question, outside, now)
    shown = tuple((one.host.host, one.edge) for one in observed.hosts if one.edge is not None)
    return Outcome(question, diagnose(question, observed, now), standing, shown)


def _publish(task: Task, adapters: Adapters) -> tuple[tuple[tuple[str, str], ...], str]:
    try:
        editor = adapters.customer_zone_editor(task.editor, task.zone, task.editor_values)
        record_keeping.withdraw(editor, task.prepared.gone)
        return tuple(record_keeping.publish(editor, task.prepared.needed)), ""
    except AdapterError as error:
        return (), error.public_message


def _store(task: Task, outcome: Outcome) -> None:
    """The claims of the name are locked before the row itself, as everywhere."""
    try:
        holding.lock_claims(task.question.domain)
        custom_domain = still_ours(LLMClientCustomDomain, task.custom_domain_id, task.generation)
        if custom_domain is not None:
            record_keeping.note_published(custom_domain, outcome.standing)
            chance = random.random()  # noqa: S311 - spreads the load, hides nothing
            verification.store(
                custom_domain, outcome.question, outcome.diagnosis, utc_now(), chance
            )
            announce_visit(custom_domain, outcome.shown, utc_now())
        db.session.commit()
    except OperationalError as error:
        db.session.rollback()
        log.warning("the check of a domain was not stored and is done again: %s", error)


def _clear_away(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Withdraw what we published, and let the row go as soon as its hosts are gone."""
    generation = custom_domain.generation
    published = record_keeping.published_records(custom_domain)
    if published:
        kind, name = custom_domain.zone_editor, custom_domain.domain_name
        zone = zone_guess(name, custom_domain.zone_name)
        try:
            values = values_of(custom_domain)
            db.session.rollback()
            editor = current_adapters().customer_zone_editor(kind, zone, values)
            record_keeping.withdraw(editor, published)
        except PortalError as error:
            log.warning("records of %s stay published: %s", name, error.public_message)
        db.session.rollback()
    left = still_ours(LLMClientCustomDomain, custom_domain.id, generation)
    if left is not None:
        record_keeping.forget_published(left)
        left.next_attempt_at = now + REMOVED_AGAIN_AFTER
        verification.finish(left)
        announce_change(left, now)
    db.session.commit()
