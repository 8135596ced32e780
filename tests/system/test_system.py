"""The machine room's page, with Redis there and away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from portal.database import db, utc_now
from portal.job_queue import Doorbell, Ring, connect_redis
from portal.system import heartbeats
from tests.people import MakeClient, People
from tests.planes import Planes


@pytest.fixture
def redis_away(planes: Planes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Redis that nobody answers for."""
    nobody = Doorbell(connect_redis("unix:///nonexistent/redis.sock"))
    monkeypatch.setitem(planes.admin.extensions, "portal_doorbell", nobody)
    yield
    nobody.connection.close()


def test_it_shows_versions_stores_and_the_queue(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        planes.worker.extensions["portal_doorbell"].ring(Ring("nobody.does_this", (1,), "1"))
    page = people.browser(people.alice).get("/system/")
    for words in ("portal", "python", "flask", "Database", "local", "No worker answers."):
        assert words in page.words
    assert page.find("td[data-label=Waiting]").get_text() == "1"
    assert page.find("td[data-label=Failed]").get_text() == "0"


def test_it_says_what_is_on_time_late_and_not_there_yet(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        heartbeats.note("clock", utc_now())
        heartbeats.note("worker", utc_now() - timedelta(minutes=5))
        db.session.commit()
    lines = (
        people.browser(people.alice)
        .get("/system/")
        .html.select("section[aria-labelledby=schedule] .state")
    )
    assert [line.get_text() for line in lines] == ["On time", "Late", "Not yet"]


def test_without_redis_it_still_answers_and_says_what_that_means(
    redis_away: None, people: People
) -> None:
    page = people.browser(people.alice).get("/system/")
    assert "Redis does not answer. Nothing is lost" in page.find(".notice").get_text()
    assert not page.html.select("td[data-label=Waiting]"), "unknown is not nought"


def test_without_redis_a_deployment_is_begun_and_waits(
    redis_away: None, people: People, make_client: MakeClient
) -> None:
    path = f"/llm-clients/{make_client()}/"
    alice = people.browser(people.alice)
    alice.post(path + "deploy", {"confirm": "yes"})
    assert "In progress" in alice.get(path).find(".head-title").get_text()


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_only_admins_see_the_machine_room(who: str, people: People) -> None:
    browser = people.browser(getattr(people, who))
    browser.get("/system/", 403)
    assert not browser.get("/").html.select("a[href='/system/']")
