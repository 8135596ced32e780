"""A forked worker finds worked out what a deployment's first step asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine.interfaces import CacheStats

from portal.accounts.models import UserProfile
from portal.database import db, utc_now
from portal.job_queue import still_ours
from portal.llm_clients.deployment import effects, jobs, rehearsal
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost
from tests.people import MakeClient, People

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def run_id(people: People, make_client: MakeClient, database: None) -> int:
    """A deployment that is due."""
    make_client()
    client = db.session.scalars(select(LLMClient)).one()
    by = db.session.get_one(UserProfile, people.alice.profile_id).user
    run = jobs.begin(client, Deployment.Kinds.DEPLOY, utc_now(), by)
    db.session.commit()
    db.session.remove()
    return run.id


@pytest.fixture
def worked_out(database: None) -> Iterator[list[str]]:
    """The statements that had to be worked out, as after the start of a process."""
    found: list[str] = []

    def note(connection, cursor, statement, parameters, context, is_many):  # type: ignore[no-untyped-def]
        if context.compiled is not None and context.cache_hit is not CacheStats.CACHE_HIT:
            found.append(statement)

    db.engine.clear_compiled_cache()
    event.listen(db.engine, "before_cursor_execute", note)
    yield found
    event.remove(db.engine, "before_cursor_execute", note)


def ask_what_a_step_asks(run_id: int) -> None:
    hand = jobs.take(run_id, utc_now())
    assert hand is not None
    assert hand.target.hosts
    db.session.remove()
    run = still_ours(Deployment, run_id, hand.generation)
    assert effects.hosts_of(run, LLMClientHost.States.CURRENT)
    db.session.rollback()


def test_without_a_rehearsal_each_statement_is_worked_out(
    run_id: int, worked_out: list[str]
) -> None:
    ask_what_a_step_asks(run_id)
    assert len(worked_out) >= 4


def test_after_a_rehearsal_none_is(run_id: int, worked_out: list[str]) -> None:
    rehearsal.rehearse(utc_now())
    assert worked_out
    db.session.remove()
    worked_out.clear()
    ask_what_a_step_asks(run_id)
    assert worked_out == []


def test_a_rehearsal_leaves_everything_as_it_was(run_id: int) -> None:
    before = what_there_is(run_id)
    rehearsal.rehearse(utc_now())
    db.session.commit()
    assert what_there_is(run_id) == before


def what_there_is(run_id: int) -> tuple[object, ...]:
    db.session.remove()
    run = db.session.get_one(Deployment, run_id)
    runs = db.session.scalar(select(func.count()).select_from(Deployment))
    return runs, run.generation, run.leased_until, run.step, run.updated_at
