"""A real Chromium in front of a real server, with somebody who does the jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from portal.accounts import signing_in
from portal.accounts.models import User
from portal.database import db, reading, utc_now
from portal.job_queue import perform, rings_due
from portal.system import heartbeats
from tests.history_pages.conftest import museum, tell  # noqa: F401 - fixtures
from tests.people import People, Person
from tests.planes import LOOPBACK, Planes
from tests.serving.conftest import make_visitor, visitor  # noqa: F401 - fixtures

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
LONGEST_MS = 10_000
LONGEST_WORDS_MS = 15_000  # three polls of a live list, on a crowded machine

expect.set_options(timeout=LONGEST_WORDS_MS)


@pytest.fixture
def worker(planes: Planes, site: str) -> Iterator[None]:
    """Worker and clock in one thread: every job that is due, at once."""
    stops = threading.Event()

    def work() -> None:
        while not stops.wait(0.05):
            with planes.worker.app_context():
                with reading():
                    rings = list(rings_due(utc_now()))
                    db.session.rollback()
                for ring in rings:
                    perform(ring.name, *ring.arguments)
                if rings:
                    heartbeats.note("worker", utc_now())
                    db.session.commit()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    stops.set()
    thread.join(10)


@pytest.fixture(scope="session")
def chromium(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield browser
        browser.close()


class Faults:
    """What no page may do; `found` must stay empty."""

    def __init__(self, context: BrowserContext) -> None:
        self.found: list[str] = []
        self.asked: list[str] = []
        context.on("page", self._watch)
        context.on("request", self._request)
        context.on("response", self._response)

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.found.append(f"uncaught: {error}"))
        page.on("console", self._console)

    def _console(self, message: Any) -> None:
        # A refused form and a closed chat are answers, and Chromium writes each into the console.
        is_answer = message.text.startswith("Failed to load resource: the server responded")
        if message.type in ("error", "warning") and not is_answer:
            self.found.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        self.asked.append(request.url)
        host = request.url.partition("://")[2].partition("/")[0].partition(":")[0]
        is_ours = host == "localhost" or host.endswith(".localhost")
        if request.url.startswith("http") and not is_ours:
            self.found.append(f"third party: {request.url}")

    def _response(self, response: Any) -> None:
        if response.status >= 500 and response.status != 503:
            self.found.append(f"{response.status}: {response.url}")


OpenBrowser = Callable[..., BrowserContext]


@pytest.fixture
def open_browser(
    chromium: Browser, planes: Planes, people: People, site: str
) -> Iterator[OpenBrowser]:
    """A browser of its own for a person (nobody without one); afterwards it must be faultless."""
    contexts: list[tuple[BrowserContext, Faults]] = []

    def launch(person: Person | None = None, **options: Any) -> BrowserContext:
        values = {"viewport": WIDE, "base_url": site, "reduced_motion": "reduce", **options}
        context = chromium.new_context(**values)
        context.set_default_timeout(LONGEST_MS)
        faults = Faults(context)
        context.faults = faults  # type: ignore[attr-defined]
        contexts.append((context, faults))
        if person is not None:
            context.add_cookies([cookie_of(planes, person, site)])
        return context

    yield launch
    for context, _ in contexts:
        context.close()
    assert [fault for _, faults in contexts for fault in faults.found] == []


def cookie_of(planes: Planes, person: Person, site: str) -> Any:
    """What signing in leaves in a browser."""
    app = planes.admin
    with app.app_context():
        user = db.session.get_one(User, person.user_id)
        token = signing_in.open_session(user, LOOPBACK, "Chromium", utc_now())
        db.session.commit()
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    value = serializer.dumps({"_user_id": token, "_fresh": True})
    return {"name": app.config["SESSION_COOKIE_NAME"], "value": value, "url": site}


@pytest.fixture
def page(open_browser: OpenBrowser, people: People) -> Page:
    """Alice's browser, signed in."""
    return open_browser(people.alice).new_page()


TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((element) =>
    element.getBoundingClientRect().right > room + 0.5 && !element.closest(".scroll, pre"));
  return wide.slice(0, 5).map((element) => element.outerHTML.slice(0, 120));
}"""


def too_wide(page: Page) -> list[str]:
    """The first elements that make the page scroll sideways."""
    found: list[str] = page.evaluate(TOO_WIDE)
    return found


class Axe:
    """axe-core through the debugging channel, which no policy of the page stops."""

    def __init__(self, page: Page, source: str) -> None:
        self._session = page.context.new_cdp_session(page)
        self._source = source

    def violations(self, *rules: str) -> list[str]:
        """What axe finds, each as rule and element; only these rules if any are named."""
        options = {"runOnly": list(rules)} if rules else {}
        expression = (
            f"{self._source if not self._is_there() else ''};"
            f"axe.run(document, Object.assign({options!r}, {{resultTypes: ['violations']}}))"
            ".then((found) => found.violations.flatMap((v) => "
            "v.nodes.map((node) => v.id + ': ' + node.html.slice(0, 160))))"
        )
        answer = self._send(expression)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        found: list[str] = answer["result"]["value"]
        return found

    def _is_there(self) -> bool:
        return self._send("typeof axe")["result"]["value"] == "object"

    def _send(self, expression: str) -> Any:
        return self._session.send(
            "Runtime.evaluate",
            {"expression": expression, "awaitPromise": True, "returnByValue": True},
        )
