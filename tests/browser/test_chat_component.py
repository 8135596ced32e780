"""The published chat component, unchanged, on pages of its customers in a real browser."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import OpenBrowser
from tests.browser.foreign_pages import ForeignSite, attributes, foreign_site
from tests.peers import COMPONENT
from tests.serving.conftest import MakeVisitor, Visitor
from tests.serving.keys import make_key

pytestmark = pytest.mark.engine_independent


@pytest.fixture(scope="session")
def bundle(npm_packages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A customer's build of the component."""
    folder = tmp_path_factory.mktemp("component")
    subprocess.run(
        [
            npm_packages / ".bin" / "esbuild",
            COMPONENT / "main.jsx",
            "--bundle",
            "--minify",
            "--jsx=automatic",
            '--define:process.env.NODE_ENV="production"',
            "--log-level=error",
            f"--outdir={folder}",
        ],
        check=True,
        timeout=60,
    )
    return {
        "/main.js": ("text/javascript", (folder / "main.js").read_bytes()),
        "/main.css": ("text/css", (folder / "main.css").read_bytes()),
    }


@pytest.fixture
def shop(bundle: dict[str, Any]) -> Iterator[ForeignSite]:
    with foreign_site(bundle) as site:
        yield site


KEY_COOKIE = "sessionid"
MARKUP = '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script>'
LINKS = '[a](javascript:window.ran=1) [b](https://b.example" onclick="window.ran=1) [c](https://c.example/)'


def show_chat(shop: ForeignSite, visitor: Visitor) -> None:
    """A page with the component on it."""
    shop.show(page_body(visitor), head='<link rel="stylesheet" href="/main.css">')


def page_body(visitor: Visitor) -> str:
    element = attributes(api_url=f"{visitor.base}/", key_cookie=KEY_COOKIE)
    return f'<div id="chat" {element}></div><script src="/main.js"></script>'


def ask(page: Page, question: str, answer: str = "") -> None:
    """Type and send; return when the answer is there."""
    expect(page.get_by_text("Configuring workbench")).to_have_count(0)
    box = page.locator("[contenteditable]")
    box.click()
    page.keyboard.insert_text(question)
    page.keyboard.press("Enter")
    expect(said(page).last).to_contain_text(answer or f"You asked: “{question}”")
    expect(page.locator(".cs-typing-indicator")).to_have_count(0)


def said(page: Page) -> Locator:
    return page.locator(".cs-message__html-content")


@pytest.mark.parametrize("name", ["shop.localhost", "127.0.0.1"])
def test_a_first_visit_from_another_origin(
    name: str, shop: ForeignSite, make_visitor: MakeVisitor, open_browser: OpenBrowser
) -> None:
    visitor = make_visitor(
        app_name="Museum & Garden",
        app_welcome_message="Welcome & enjoy",
        app_example_prompts=["What is on today?"],
        app_placeholder="Ask & learn",
    )
    show_chat(shop, visitor)
    context = open_browser()
    page = context.new_page()
    page.goto(shop.origin(name))
    expect(page.get_by_text("Museum & Garden")).to_be_visible()
    expect(page.get_by_text("Welcome & enjoy")).to_be_visible()
    expect(page.get_by_text("What is on today?")).to_be_visible()
    expect(page.locator("[data-placeholder='Ask & learn']")).to_be_visible()
    ask(page, "Where do I begin?")
    ask(page, "And then?")
    assert [row.status for row in visitor.rows()] == [200, 200]
    assert len({row.session_key for row in visitor.rows()}) == 1
    expect_only(context, f"third party: {shop.origin(name)}")


def test_a_reload_keeps_the_session_and_a_new_chat_begins_one(
    shop: ForeignSite, visitor: Visitor, open_browser: OpenBrowser
) -> None:
    show_chat(shop, visitor)
    page = open_browser().new_page()
    page.goto(shop.origin())
    ask(page, "first")
    page.reload()
    expect(said(page).nth(0)).to_have_text("first")
    expect(said(page).nth(1)).to_contain_text("You asked: “first”")
    ask(page, "second")
    expect(said(page).last).to_contain_text("turn 2 of this")
    with page.expect_response(lambda answer: answer.url.endswith("/prompt/config/")):
        page.get_by_title("Start a new chat").click()
    expect(page.get_by_text("You asked: “first”")).to_have_count(0)
    ask(page, "third")
    keys = [row.session_key for row in visitor.rows()]
    assert keys[0] == keys[1] != keys[2]


def test_a_page_on_the_clients_own_host(
    bundle: dict[str, Any], make_visitor: MakeVisitor, open_browser: OpenBrowser
) -> None:
    visitor = make_visitor(allowed_origins=["https://elsewhere.example"])
    page = open_browser().new_page()
    kind, script = bundle["/main.js"]
    page.route("**/main.js", lambda route: route.fulfill(content_type=kind, body=script))
    page.route(
        "**/page.html",
        lambda route: route.fulfill(content_type="text/html", body=page_body(visitor)),
    )
    page.goto(f"{visitor.base}/page.html")
    ask(page, "hello")


def test_an_allowed_origin_is_answered(
    shop: ForeignSite, make_visitor: MakeVisitor, open_browser: OpenBrowser
) -> None:
    visitor = make_visitor(allowed_origins=[shop.origin()])
    show_chat(shop, visitor)
    page = open_browser().new_page()
    page.goto(shop.origin())
    ask(page, "hello")


def test_an_origin_that_is_not_allowed_learns_nothing(
    shop: ForeignSite, make_visitor: MakeVisitor, open_browser: OpenBrowser
) -> None:
    visitor = make_visitor(allowed_origins=[shop.origin()], app_name="The Museum")
    show_chat(shop, visitor)
    context = open_browser()
    page = context.new_page()
    with page.expect_console_message(lambda message: "CORS policy" in message.text):
        page.goto(shop.origin("stranger.localhost"))
    expect(page.get_by_title("Start a new chat")).to_be_visible()
    expect(page.get_by_text("The Museum")).to_have_count(0)
    assert visitor.rows() == []
    expect_only(context, "CORS policy", "Failed to fetch", "Failed to load")


def test_a_key_opens_a_client_that_wants_one(
    shop: ForeignSite, visitor: Visitor, open_browser: OpenBrowser
) -> None:
    key = make_key(visitor)
    show_chat(shop, visitor)
    context = open_browser()
    context.add_cookies([{"name": KEY_COOKIE, "value": key, "url": shop.origin()}])
    page = context.new_page()
    page.goto(shop.origin())
    ask(page, "hello")
    assert visitor.rows()[0].api_key_id is not None


@pytest.mark.parametrize("value", ["", "not-the-key"])
def test_a_refused_key_is_told_to_the_page(
    value: str, shop: ForeignSite, visitor: Visitor, open_browser: OpenBrowser
) -> None:
    make_key(visitor)
    show_chat(shop, visitor)
    context = open_browser()
    context.add_cookies([{"name": KEY_COOKIE, "value": value, "url": shop.origin()}])
    page = context.new_page()
    with page.expect_response(lambda answer: "/config/" in answer.url) as caught:
        page.goto(shop.origin())
    assert caught.value.status == 401
    assert caught.value.headers["access-control-allow-origin"] == shop.origin()
    expect(page.get_by_title("Start a new chat")).to_be_visible()
    expect_only(context, "401", "Failed to fetch config")


def test_somebody_elses_cookie_behind_bearer_does_not_close_an_open_client(
    shop: ForeignSite, visitor: Visitor, open_browser: OpenBrowser
) -> None:
    show_chat(shop, visitor)
    context = open_browser()
    context.add_cookies([{"name": KEY_COOKIE, "value": "of-the-shop", "url": shop.origin()}])
    page = context.new_page()
    page.goto(shop.origin())
    ask(page, "hello")


def test_markup_never_runs(
    shop: ForeignSite, make_visitor: MakeVisitor, open_browser: OpenBrowser
) -> None:
    visitor = make_visitor(
        app_name=MARKUP,
        app_placeholder=MARKUP,
        app_welcome_message=MARKUP + LINKS,
        app_example_prompts=[MARKUP, LINKS],
        app_assistant=MARKUP,
    )
    key = visitor.config()["session_key"]
    visitor.prompt(MARKUP + LINKS, key)
    show_chat(shop, visitor)
    context = open_browser()
    page = context.new_page()
    page.goto(shop.origin())
    expect(said(page).filter(has_text="<img src=x").first).to_be_visible()
    assert_nothing_ran(page)
    context.add_cookies([{"name": "session_key", "value": key, "url": shop.origin()}])
    page.reload()
    expect(said(page).nth(1)).to_contain_text("You asked: “<img src=x")
    assert_nothing_ran(page)


def assert_nothing_ran(page: Page) -> None:
    assert page.evaluate("window.ran") is None
    shown = page.locator("#chat")
    assert shown.locator("img[src=x], script, [onclick], [onerror]").count() == 0
    addresses = shown.locator("a[href]").evaluate_all("links => links.map(a => a.href)")
    assert set(addresses) <= {"https://c.example/"}
    assert addresses


def test_a_failing_provider_is_a_sentence_in_the_conversation(
    shop: ForeignSite, make_visitor: MakeVisitor, open_browser: OpenBrowser
) -> None:
    visitor = make_visitor(provider="gone")
    show_chat(shop, visitor)
    page = open_browser().new_page()
    page.goto(shop.origin())
    ask(page, "hello", "The assistant is not available right now.")
    assert [row.status for row in visitor.rows()] == [503]


def expect_only(context: BrowserContext, *words: str) -> None:
    """The component complains in the console, and of nothing else."""
    faults = context.faults.found  # type: ignore[attr-defined]
    strange = [fault for fault in faults if not any(word in fault for word in words)]
    assert strange == []
    faults.clear()
