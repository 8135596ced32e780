"""Without Redis pages, prompts and wishes go on; what was wished for is done once it is back."""

from __future__ import annotations

import http.client
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.app import create_admin_app
from portal.database import utc_now
from portal.job_queue import job_name
from portal.llm_clients.deployment.jobs import advance_deployment
from portal.system.jobs import answer_the_clock
from portal.worker import Clock
from tests.crowd import Stopwatch
from tests.kill.admin import Admin
from tests.kill.running_portal import LOOPBACK, RunningPortal, running_portal, wait_until
from tests.peers import RedisServer
from tests.people import MakeClient, People
from tests.planes import Planes

# About Redis, whatever the database.
pytestmark = pytest.mark.engine_independent

PATIENCE_SECONDS = 1.5
DONE_SECONDS = 30
PAGES = ("/", "/llm-clients/", "/llm-clients/new", "/requests/", "/providers/", "/system/")


@pytest.fixture
def without_redis(planes: Planes, redis_server: RedisServer) -> Iterator[None]:
    """Redis is down from now on, and back for the next test."""
    redis_server.kill()
    yield
    redis_server.start()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there_without_redis(people: People, without_redis: None, path: str) -> None:
    watch = Stopwatch()
    people.browser(people.alice).get(path)
    assert watch.seconds() < 2 * PATIENCE_SECONDS, "a page and its sign-in"


def test_the_system_page_says_that_redis_does_not_answer(
    people: People, without_redis: None
) -> None:
    page = people.browser(people.alice).get("/system/")
    assert "Redis does not answer" in page.words
    assert "Nothing is lost" in page.words


def test_applications_are_made_without_redis_and_find_it_later(
    planes: Planes, redis_server: RedisServer
) -> None:
    redis_server.kill()
    try:
        browser = create_admin_app(planes.settings).test_client()
        assert browser.get("/login", base_url=planes.settings.platform_url).status_code == 200
    finally:
        redis_server.start()


def test_the_clock_goes_on_without_redis_and_rings_when_it_is_back(
    planes: Planes, people: People, make_client: MakeClient, redis_server: RedisServer
) -> None:
    path = f"/llm-clients/{make_client()}/"
    redis_server.kill()
    try:
        people.browser(people.alice).post(path + "deploy", {"confirm": "yes"})
    finally:
        redis_server.start()
    with planes.worker.app_context():
        rung = Clock(planes.worker).tick(utc_now())
        doorbell = planes.worker.extensions["portal_doorbell"]
        assert doorbell.counts()["queued"] == rung + 1, "all that is due, and the clock's question"
        queued = {job.args[0] for job in doorbell.queue.jobs}
        assert {job_name(advance_deployment), job_name(answer_the_clock)} <= queued


def timed(portal: RunningPortal, host: str, method: str, path: str, body: str = "") -> str:
    """The page of a 200, which was there in time."""
    connection = http.client.HTTPConnection(LOOPBACK, portal.port, timeout=20)
    watch = Stopwatch()
    try:
        connection.request(method, path, body or None, {"Host": f"{host}:{portal.port}"})
        response = connection.getresponse()
        page = response.read().decode()
    finally:
        connection.close()
    taken = watch.seconds()
    assert response.status == 200, page
    assert taken < PATIENCE_SECONDS, f"{path} took {taken:.1f} s"
    return page


def deployed_host(portal: RunningPortal, admin: Admin, name: str) -> str:
    admin.deploy(admin.create(name))
    open_hosts = "SELECT hostname FROM llm_client_hosts WHERE is_open"
    wait_until(lambda: bool(portal.rows(open_hosts)), 20)
    return str(portal.rows(open_hosts)[0][0])


@pytest.mark.engine_independent
@pytest.mark.parametrize("trouble", ["killed", "silent"])
def test_work_wished_for_without_redis_is_done_soon_after_its_return(
    tmp_path: Path, trouble: str
) -> None:
    with running_portal(tmp_path) as portal:
        admin = Admin(portal)
        host = deployed_host(portal, admin, "first")
        portal.process.send_signal(signal.SIGSTOP)  # nobody starts it again for now
        portal.signal("redis", signal.SIGKILL if trouble == "killed" else signal.SIGSTOP)
        try:
            question = json.dumps({"messages": [{"role": "user", "content": "Still there?"}]})
            timed(portal, "localhost", "GET", "/login")
            timed(portal, host, "GET", "/")
            assert "Still there?" in timed(portal, host, "POST", "/prompt/", question)
            admin.slowest = (0.0, "")
            admin.deploy(admin.create("second"))
            assert admin.slowest[0] < PATIENCE_SECONDS, admin.slowest
        finally:
            portal.signal("redis", signal.SIGCONT)
            portal.process.send_signal(signal.SIGCONT)
        deployed = "SELECT name FROM llm_clients WHERE deployed"
        wait_until(lambda: len(portal.rows(deployed)) == 2, DONE_SECONDS)
