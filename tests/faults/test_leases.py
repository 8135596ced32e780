"""Work is taken by lease and fenced by generation: no attempt counts twice, none from the dead."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.accounts.models import UserProfile
from portal.certificates.models import Certificate
from portal.database import db, utc_now
from portal.job_queue import claim, perform, still_ours
from portal.llm_clients.deployment import jobs, plans
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment import steps as deployment_steps
from portal.llm_clients.deployment.models import Deployment, ProgressEvent
from portal.llm_clients.models import LLMClient
from tests.people import MakeClient, People
from tests.planes import Outside, Planes

AT_ONCE = 5


@pytest.fixture
def run_id(planes: Planes, people: People, make_client: MakeClient, outside: Outside) -> int:
    """A deployment that is due."""
    path = f"/llm-clients/{make_client()}/"
    people.browser(people.alice).post(path + "deploy", {"confirm": "yes"})
    with planes.worker.app_context():
        return int(db.session.scalars(select(Deployment.id)).one())


@pytest.fixture
def context(planes: Planes) -> Iterator[Flask]:
    """The worker's application, in this thread."""
    with planes.worker.app_context():
        yield planes.worker
        db.session.rollback()


def at_once(app: Flask, action: Callable[[], Any]) -> list[Any]:
    """What each of five threads got that did the same at the same moment."""
    together, results = threading.Barrier(AT_ONCE), []

    def act() -> None:
        with app.app_context():
            together.wait(10)
            results.append(action())

    threads = [threading.Thread(target=act) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == AT_ONCE, "a thread failed"
    return results


def test_of_many_who_claim_a_row_one_gets_it(planes: Planes, run_id: int) -> None:
    now = utc_now()
    claimed = at_once(planes.worker, lambda: claim(Deployment, run_id, now) is not None)
    assert sorted(claimed) == [False] * (AT_ONCE - 1) + [True]


def test_a_row_is_free_again_when_the_lease_is_over(context: Flask, run_id: int) -> None:
    now = utc_now()
    first = claim(Deployment, run_id, now)
    lease = timedelta(seconds=context.extensions["portal_settings"].job_lease_seconds)
    assert first is not None
    assert claim(Deployment, run_id, now + lease) is None
    second = claim(Deployment, run_id, now + lease + timedelta(seconds=1))
    assert second is not None
    assert second.generation == 2


def test_what_an_orphan_brings_after_another_took_over_is_not_stored(
    planes: Planes, context: Flask, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = deployment_steps.attempt

    def overtaken(*arguments: Any) -> Any:
        result = act(*arguments)
        later = utc_now() + timedelta(minutes=2)
        assert claim(Deployment, run_id, later) is not None
        db.session.rollback()
        return result

    monkeypatch.setattr(jobs, "attempt", overtaken)
    perform("deployment.advance_deployment", run_id)
    run = db.session.get_one(Deployment, run_id, populate_existing=True)
    assert (run.step, run.attempt, run.generation) == ("publish_dns", 0, 2)
    assert db.session.scalar(select(func.count()).select_from(ProgressEvent)) == 0


def test_a_cancelled_attempt_stores_nothing(
    planes: Planes, context: Flask, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    act = deployment_steps.attempt

    def cancelled(*arguments: Any) -> Any:
        result = act(*arguments)
        run = db.session.get_one(Deployment, run_id)
        deployment.cancel(run, utc_now(), None)
        db.session.commit()
        return result

    monkeypatch.setattr(jobs, "attempt", cancelled)
    perform("deployment.advance_deployment", run_id)
    run = db.session.get_one(Deployment, run_id, populate_existing=True)
    assert (run.state, run.step) == ("cancelled", "publish_dns")
    cleaning = db.session.scalars(select(Deployment).where(Deployment.id != run_id)).one()
    assert (cleaning.kind, cleaning.state) == ("undeploy", "active")


def test_a_cancel_that_read_before_the_claim_still_fences_the_attempt(
    postgres_url: str, planes: Planes, context: Flask, run_id: int
) -> None:
    """The page holds a row that a worker has claimed since; SQLite lets only one of them write."""
    stale = db.session.get_one(Deployment, run_id)
    claimed: list[int] = []

    def work() -> None:
        with planes.worker.app_context():
            run = claim(Deployment, run_id, utc_now())
            claimed.append(run.generation)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    deployment.cancel(stale, utc_now(), None)
    db.session.commit()
    assert still_ours(Deployment, run_id, claimed[0]) is None


def test_deploy_pressed_by_many_at_once_is_one_deployment(
    planes: Planes, people: People, make_client: MakeClient
) -> None:
    make_client()

    def press() -> None:
        llm_client = db.session.scalars(select(LLMClient)).one()
        author = db.session.get_one(UserProfile, people.alice.profile_id).user
        deployment.begin(llm_client, Deployment.Kinds.DEPLOY, utc_now(), author)
        db.session.commit()

    at_once(planes.worker, press)
    with planes.worker.app_context():
        assert len(db.session.scalars(select(Deployment)).all()) == 1


def test_each_job_delivered_five_times_at_once_has_one_effect(planes: Planes, run_id: int) -> None:
    for _ in range(len(plans.DEPLOY_PLAN)):
        at_once(planes.worker, lambda: perform("deployment.advance_deployment", run_id))
    with planes.worker.app_context():
        run = db.session.get_one(Deployment, run_id)
        assert run.state == Deployment.States.DONE, (run.step, run.message)
        assert run.llm_client.ready
        done = Counter(db.session.scalars(select(ProgressEvent.step)))
        assert done == dict.fromkeys(plans.DEPLOY_PLAN, 1)
        assert db.session.scalar(select(func.count()).select_from(Certificate)) == 1
