"""The main job as an admin and a visitor live it, with script and without."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from portal.database import db
from portal.request_history.models import LLMClientRequests
from tests.browser.conftest import OpenBrowser
from tests.people import PASSWORD, MakeClient, People
from tests.planes import Outside, Planes

# The same story without a browser runs on both engines: tests/stories.
pytestmark = pytest.mark.engine_independent


def create(page: Page, name: str) -> None:
    """A new client through the form, with the address and the preview following the typing."""
    page.goto("/llm-clients/")
    page.get_by_role("link", name="New LLM client").click()
    page.get_by_label("Name", exact=True).press_sequentially(name)
    live = page.locator("[data-live-hostname]")
    expect(live).to_contain_text("Yours and free.")
    expect(live.locator("code")).to_contain_text(name.lower().replace("_", "-") + ".")
    page.get_by_label("Title", exact=True).fill("The Museum")
    page.get_by_label("Welcome message", exact=True).fill("Welcome to the museum!")
    preview = page.locator("[data-preview]")
    expect(preview).to_contain_text("The Museum")
    expect(preview).to_contain_text("Welcome to the museum!")
    page.get_by_role("button", name="Save as revision 1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def open_chat(page: Page) -> Page:
    page.get_by_role("link", name="Open the chat").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The Museum")
    return page


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your message").fill(question)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-talk]")).to_contain_text(f"You asked: “{question}”")
    expect(page.locator("[data-stop]")).to_be_hidden()


def test_from_nothing_to_a_conversation_and_back(
    page: Page, worker: None, site: str, open_browser: OpenBrowser
) -> None:
    create(page, "Museum_Guide")
    client_url = page.url

    page.get_by_role("link", name="Sandbox", exact=True).click()
    ask(page, "What is on today?")
    expect(page.locator("[data-part=sent]")).to_contain_text('"role": "system"')
    expect(page.locator("[data-part=tokens]")).to_contain_text(" out")

    page.goto(client_url)
    page.locator("#primary").click()
    page.get_by_role("button", name="Deploy revision 1").click()
    page.evaluate("window.wasHereBefore = true")
    expect(page.locator(".head-title")).to_contain_text("Ready")
    assert page.evaluate("window.wasHereBefore"), "Ready came without a reload"
    expect(page.locator("[data-poll-url]")).to_have_count(0)
    assert_it_stopped_asking(page)

    visitor = open_browser().new_page()
    visitor.goto(str(page.get_by_role("link", name="Open the chat").get_attribute("href")))
    assert re.match(r"http://museum-guide\.[\d-]+\.api\.local\.localhost:\d+/", visitor.url)
    expect(visitor.locator("[data-talk]")).to_contain_text("Welcome to the museum!")
    ask(visitor, "Where is the café?")
    visitor.reload()
    expect(visitor.locator("[data-talk]")).to_contain_text("Where is the café?")
    ask(visitor, "And the exit?")
    visitor.get_by_role("button", name="Start a new chat").click()
    expect(visitor.locator("[data-talk]")).not_to_contain_text("Where is the café?")

    page.goto("/requests/")
    expect(page.locator("[data-rows] > tr")).to_have_count(3)
    page.get_by_role("link", name="Where is the café?").click()
    expect(page.locator(".talk")).to_contain_text("Where is the café?")

    page.goto(client_url + "undeploy")
    page.get_by_role("button", name="Undeploy Museum_Guide").click()
    expect(page.locator(".head-title")).to_contain_text("Not deployed")
    visitor.reload()
    expect(visitor.get_by_role("heading", level=1)).to_have_text("Closed")

    page.goto(client_url + "delete")
    page.get_by_label("Type the name of the client").fill("Museum_Guide")
    page.get_by_role("button", name="Delete Museum_Guide").click()
    expect(page.get_by_role("status").filter(has_text="will be gone")).to_be_visible()
    wait_for(lambda: page.context.request.get(client_url).status == 404)


def assert_it_stopped_asking(page: Page) -> None:
    asked = page.context.faults.asked  # type: ignore[attr-defined]
    before = len([url for url in asked if url.endswith("/status")])
    assert before > 0, "it never asked"
    page.wait_for_timeout(1500)
    assert len([url for url in asked if url.endswith("/status")]) == before


def wait_for(condition: Callable[[], bool]) -> None:
    """At most ten seconds."""
    pause = threading.Event()
    for _ in range(100):
        if condition():
            return
        pause.wait(0.1)
    raise AssertionError("it did not come to pass")


def test_the_same_works_without_script(
    people: People, worker: None, open_browser: OpenBrowser
) -> None:
    context = open_browser(java_script_enabled=False)
    page = context.new_page()
    page.goto("/llm-clients/")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("correct horse battery staple")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="New LLM client").click()
    page.get_by_label("Name", exact=True).fill("1st")
    page.get_by_role("button", name="Save as revision 1").click()
    expect(page.locator("#name-error")).to_contain_text("Must start with a letter")
    page.get_by_label("Name", exact=True).fill("plain")
    page.get_by_role("button", name="Save as revision 1").click()
    page.get_by_role("link", name="Sandbox", exact=True).click()
    page.get_by_label("Your message").fill("Hello?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-talk]")).to_contain_text("You asked: “Hello?”")
    page.get_by_role("link", name="Status", exact=True).click()
    page.locator("#primary").click()
    page.get_by_role("button", name="Deploy revision 1").click()
    wait_for(lambda: refreshed(page).locator("#primary").inner_text() == "Open the chat")
    page.locator("#primary").click()
    page.get_by_label("Your message").fill("Is this plain?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-talk]")).to_contain_text("You asked: “Is this plain?”")
    page.goto("/requests/")
    page.get_by_role("link", name="Is this plain?").click()
    page.locator(".head-sub").get_by_role("link", name="plain").click()
    page.locator("#more > summary").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_label("Type the name of the client").fill("plain")
    page.get_by_role("button", name="Delete plain").click()
    expect(page.get_by_role("status").first).to_contain_text("will be gone in a moment")


def refreshed(page: Page) -> Page:
    page.locator("#refresh").click()
    return page


@pytest.fixture
def slow_demo(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that takes its time."""
    monkeypatch.setattr(outside.demo._server, "token_delay", 0.2)


def test_stopping_an_answer_leaves_what_came_in_the_history(
    slow_demo: None, planes: Planes, page: Page, make_client: MakeClient
) -> None:
    page.goto(f"/workbench/llm-clients/{make_client()}/")
    page.get_by_label("Your message").fill("Take your time")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-part=answer]")).to_contain_text("demo")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("[data-sentence]").first).to_have_text("Stopped.")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    wait_for(lambda: statuses(planes) == [499])
    page.goto("/requests/?status=cancelled")
    expect(page.locator("[data-rows] > tr")).to_contain_text("Visitor left")


def statuses(planes: Planes) -> list[int]:
    with planes.worker.app_context():
        return list(db.session.scalars(db.select(LLMClientRequests.status)))


def test_two_tabs_of_a_visitor_share_a_conversation(
    page: Page, worker: None, make_client: MakeClient
) -> None:
    page.goto(f"/llm-clients/{make_client('example', app_name='The Museum')}/deploy")
    page.get_by_role("button", name="Deploy revision 1").click()
    expect(page.locator(".head-title")).to_contain_text("Ready")
    first = open_chat(page)
    second = page.context.new_page()
    second.goto(first.url)
    ask(first, "From the first tab")
    ask(second, "From the second tab")
    for tab in (first, second):
        tab.reload()
        expect(tab.locator("[data-talk]")).to_contain_text("From the first tab")
        expect(tab.locator("[data-talk]")).to_contain_text("From the second tab")


def test_signing_out_in_one_tab_ends_the_other(page: Page, make_client: MakeClient) -> None:
    """Nobody works here, so the deployment stays under way and its page goes on asking."""
    page.goto(f"/llm-clients/{make_client()}/deploy")
    page.get_by_role("button", name="Deploy revision 1").click()
    expect(page.locator("#status[data-poll-url]")).to_be_visible()
    other = page.context.new_page()
    other.goto("/account/sessions")
    other.get_by_role("link", name="Sign out everywhere…").click()
    other.get_by_label("Present password").fill(PASSWORD)
    other.get_by_role("button", name="Sign out everywhere").click()
    page.wait_for_url(re.compile(r"/login\?next="))


def test_the_chat_comes_back_after_a_failure(
    page: Page, make_client: MakeClient, outside: Outside, planes: Planes
) -> None:
    """The connection breaks once; the question stays in the field and can be sent again."""
    page.goto(f"/workbench/llm-clients/{make_client()}/")
    context: BrowserContext = page.context
    context.route("**/stream", lambda route: route.fulfill(status=502, body="no"))
    page.get_by_label("Your message").fill("Once more")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-sentence]").first).to_contain_text("No answer came (status 502)")
    expect(page.get_by_label("Your message")).to_have_value("Once more")
    context.unroute("**/stream")
    context.faults.found.clear()  # type: ignore[attr-defined]
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-talk]")).to_contain_text("You asked: “Once more”")
