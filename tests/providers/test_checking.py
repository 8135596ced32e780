"""Testing a key: a job asks the provider for its models; the page tells what came of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.database import db, utc_now
from portal.job_queue import claim
from portal.providers import checking, jobs
from portal.providers.models import Provider
from tests.people import Browser, People
from tests.planes import Planes

KEY = "sk-right-0123456789-abcdef"


class Vendor(ThreadingHTTPServer):
    """Tells its models to whoever has the key, or answers as it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: tuple[int, str] | None = None
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Vendor

    def do_GET(self) -> None:
        self.server.asked += 1
        models = {"data": [{"id": "large"}, {"id": "small"}]}
        status, body = self.server.answer or (200, json.dumps(models))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            status, body = 401, json.dumps({"error": {"message": "Incorrect API key"}})
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *words: object) -> None:
        return


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with Vendor() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def add(alice: Browser) -> Callable[..., None]:
    """Add a provider through the form."""

    def fill(url: str, key: str = KEY) -> None:
        values = {"name": "mine", "base_url": url, "default_model": "small", "api_key": key}
        alice.post("/providers/new", {**values, "models": "small"})

    return fill


def own(planes: Planes) -> Provider:
    with planes.worker.app_context():
        return db.session.scalars(db.select(Provider).where(Provider.name == "mine")).one()


RunJobs = Callable[..., int]
Add = Callable[..., None]


def test_a_new_key_is_tested_by_itself_and_its_models_are_offered(
    alice: Browser, add: Add, vendor: Vendor, run_jobs: RunJobs, planes: Planes
) -> None:
    add(vendor.url)
    waiting = alice.get("/providers/")
    assert "Being tested" in waiting.words
    assert waiting.find("#status")["data-poll-url"] == "/providers/status"
    run_jobs()
    page = alice.get("/providers/status")
    assert "Works" in page.words
    assert "2 models" in page.words
    assert not page.find("#status").has_attr("data-poll-url"), "a finished test asks nothing"
    assert own(planes).model_names == ["small", "large"]
    form = alice.get("/llm-clients/new")
    assert "mine" in form.words


def test_a_wrong_key_is_told_in_the_providers_own_words_without_the_key(
    alice: Browser, add: Add, vendor: Vendor, run_jobs: RunJobs
) -> None:
    add(vendor.url, "sk-wrong-0123456789-abcdef")
    run_jobs()
    page = alice.get("/providers/")
    assert "Does not work" in page.words
    assert "It refused the key. It said: HTTP 401: Incorrect API key" in page.words
    assert "sk-wrong" not in page.text


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
        ((404, "{}"), checking.UNSURE, "tells no list of models"),
        ((200, "<html>"), checking.FAILED, "not a list of models"),
        ((200, '{"data": 5}'), checking.FAILED, "not a list of models"),
        ((200, '{"data": []}'), checking.WORKS, "0 models"),
        ((429, "{}"), checking.FAILED, "too many requests"),
        ((500, "oops"), checking.FAILED, "a problem of its own"),
        ((302, ""), checking.FAILED, "It refused the question"),
    ],
)
def test_every_answer_has_its_sentence(
    answer: tuple[int, str],
    state: str,
    sentence: str,
    add: Add,
    vendor: Vendor,
    run_jobs: RunJobs,
    planes: Planes,
) -> None:
    vendor.answer = answer
    add(vendor.url)
    run_jobs()
    provider = own(planes)
    assert provider.check_state == state
    assert sentence in provider.message
    assert vendor.asked == 1, "a test is one question"


def test_nobody_at_the_address_is_a_sentence(add: Add, run_jobs: RunJobs, planes: Planes) -> None:
    add("http://127.0.0.1:9/v1")
    run_jobs()
    assert own(planes).message.startswith("It cannot be reached at this address.")


def test_the_button_tests_again(
    alice: Browser, add: Add, vendor: Vendor, run_jobs: RunJobs, planes: Planes
) -> None:
    vendor.answer = (500, "")
    add(vendor.url)
    run_jobs()
    vendor.answer = None
    alice.post(f"/providers/{own(planes).id}/test")
    alice.post(f"/providers/{own(planes).id}/test")
    run_jobs()
    assert own(planes).check_state == checking.WORKS
    assert vendor.asked == 2, "two presses are one test"


def test_only_an_admin_tests(people: People, add: Add, vendor: Vendor, planes: Planes) -> None:
    add(vendor.url)
    provider_id = own(planes).id
    people.browser(people.bob).post(f"/providers/{provider_id}/test", expected=403)
    people.browser(people.charlie).post(f"/providers/{provider_id}/test", expected=404)


def test_a_test_whose_worker_died_is_made_again_and_not_for_ever(
    add: Add, vendor: Vendor, planes: Planes
) -> None:
    add(vendor.url)
    provider_id = own(planes).id
    with planes.worker.app_context():
        now = utc_now()
        for number in range(checking.MOST_BROKEN_OFF + 1):
            assert claim(Provider, provider_id, now + timedelta(minutes=number)) is not None
        db.session.rollback()
        provider = db.session.get(Provider, provider_id, populate_existing=True)
        provider.leased_until = now - timedelta(seconds=1)
        db.session.commit()
        jobs.check_provider(provider_id)
    provider = own(planes)
    assert provider.check_state == checking.UNSURE
    assert "broke off" in provider.message
    assert vendor.asked == 0
