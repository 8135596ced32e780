"""The widget and the framed chat on pages of other origins, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import NARROW, Axe, OpenBrowser, too_wide
from tests.browser.foreign_pages import ForeignSite, attributes, foreign_site
from tests.serving.conftest import MakeVisitor, Visitor, close

pytestmark = pytest.mark.engine_independent

HOST_STYLE = '<link rel="stylesheet" href="/shop.css">'
TEXT = "<main><h1>The shop</h1><p>Things.</p><a href='#x'>A link</a></main>"


@pytest.fixture
def shop() -> Iterator[ForeignSite]:
    with foreign_site({"/shop.css": ("text/css", b"button { display: none }")}) as site:
        yield site


def widget(visitor: Visitor, **values: str) -> str:
    return f'<script src="{visitor.base}/embed.js" {attributes(**values)}></script>'


def open_shop(
    open_browser: OpenBrowser, shop: ForeignSite, visitor: Visitor, **options: object
) -> Page:
    """The shop's page under a policy that allows the client's host and nothing inline."""
    host = visitor.base
    shop.policy = (
        f"default-src 'none'; script-src {host}; frame-src {host}; style-src 'self'; "
        "require-trusted-types-for 'script'"
    )
    page = open_browser(**options).new_page()
    page.goto(shop.origin())
    return page


def ask(chat: FrameLocator, question: str) -> None:
    chat.get_by_label("Your message").fill(question)
    chat.get_by_role("button", name="Send").click()
    expect(chat.locator("[data-talk]")).to_contain_text(f"You asked: “{question}”")
    expect(chat.locator("[data-stop]")).to_be_hidden()


def test_the_floating_button_opens_a_panel_that_escape_closes(
    shop: ForeignSite, make_visitor: MakeVisitor, open_browser: OpenBrowser
) -> None:
    visitor = make_visitor(allowed_origins=[shop.origin()])
    shop.show(TEXT + widget(visitor, label="Ask us"), head=HOST_STYLE)
    page = open_shop(open_browser, shop, visitor)
    button = page.get_by_role("button", name="Ask us", exact=True)
    expect(button).to_have_attribute("aria-expanded", "false")
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    assert page.locator("iframe").count() == 0, "nothing is loaded before it is asked for"
    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    chat = page.frame_locator("iframe[title='Ask us']")
    ask(chat, "hello")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(button).to_be_focused()
    button.press("Enter")
    expect(chat.locator("[data-talk]")).to_contain_text("You asked: “hello”")
    page.get_by_role("button", name="Close Ask us").click()
    expect(button).to_be_focused()
    button.click()
    button.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert (
        page.evaluate("Object.keys(window).filter((name) => /chat|embed|widget/i.test(name))") == []
    )


def test_only_the_frame_itself_may_close_the_panel(
    shop: ForeignSite, visitor: Visitor, open_browser: OpenBrowser
) -> None:
    shop.show(TEXT + widget(visitor, label="Ask us"))
    page = open_shop(open_browser, shop, visitor)
    page.get_by_role("button", name="Ask us", exact=True).click()
    expect(page.frame_locator("iframe").get_by_role("heading")).to_be_visible()
    page.evaluate("window.postMessage('chat:close', '*')")
    page.evaluate("window.dispatchEvent(new MessageEvent('message', { data: 'chat:close' }))")
    page.wait_for_timeout(200)
    expect(page.get_by_role("dialog")).to_be_visible()


def test_the_framed_chat_keeps_its_session_over_reloads(
    shop: ForeignSite, visitor: Visitor, open_browser: OpenBrowser
) -> None:
    place = "<div id='place'><p>Loading</p></div>"
    shop.show(TEXT + place + widget(visitor, mode="inline", target="#place"))
    page = open_shop(open_browser, shop, visitor)
    chat = page.frame_locator("iframe")
    ask(chat, "first")
    expect(page.get_by_text("Loading")).to_have_count(0)
    page.reload()
    expect(chat.locator("[data-talk]")).to_contain_text("You asked: “first”")
    ask(chat, "second")
    chat.get_by_role("button", name="Start a new chat").click()
    expect(chat.get_by_text("You asked: “first”")).to_have_count(0)
    ask(chat, "third")
    keys = [row.session_key for row in visitor.rows()]
    assert keys[0] == keys[1] != keys[2]
    [cookie] = [c for c in page.context.cookies() if c["name"] == "chat_session_embedded"]
    assert cookie["sameSite"] == "None"
    assert cookie["httpOnly"]
    assert cookie["secure"]


def test_without_script_the_framed_chat_answers(
    shop: ForeignSite, visitor: Visitor, open_browser: OpenBrowser
) -> None:
    shop.show(f'<h1>Shop</h1><iframe src="{visitor.base}/embed" title="Chat"></iframe>')
    page = open_shop(open_browser, shop, visitor, java_script_enabled=False)
    chat = page.frame_locator("iframe")
    for number, question in enumerate(("first", "second"), start=1):
        chat.get_by_label("Your message").fill(question)
        chat.get_by_role("button", name="Send").click()
        expect(
            chat.get_by_text(f"It is turn {number}" if number > 1 else "first turn")
        ).to_be_visible()


def test_on_a_telephone_the_panel_is_the_whole_screen(
    shop: ForeignSite, visitor: Visitor, open_browser: OpenBrowser, axe_source: str
) -> None:
    shop.show(TEXT + widget(visitor, position="bottom-left"))
    page = open_shop(open_browser, shop, visitor, viewport=NARROW)
    page.get_by_role("button", name="Chat", exact=True).click()
    expect(page.frame_locator("iframe").get_by_role("heading")).to_be_visible()
    assert page.get_by_role("dialog").bounding_box() == {"x": 0, "y": 0, **NARROW}
    close = page.get_by_role("button", name="Close Chat").bounding_box()
    assert close is not None
    assert min(close["width"], close["height"]) >= 44
    assert too_wide(page) == []
    assert Axe(page, axe_source).violations() == []
    page.get_by_role("button", name="Close Chat").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_page_that_is_not_allowed_may_not_frame_the_chat(
    shop: ForeignSite, make_visitor: MakeVisitor, open_browser: OpenBrowser
) -> None:
    visitor = make_visitor(allowed_origins=["https://elsewhere.example"], app_name="The Museum")
    shop.show(f'<h1>Shop</h1><iframe src="{visitor.base}/embed" title="Chat"></iframe>')
    page = open_browser().new_page()
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(shop.origin())
    expect(page.frame_locator("iframe").get_by_text("The Museum")).to_have_count(0)
    page.context.faults.found.clear()  # type: ignore[attr-defined]


@pytest.mark.parametrize("values", [{}, {"mode": "inline", "target": "#nowhere"}])
def test_a_closed_or_unknown_client_leaves_the_page_as_it_is(
    values: dict[str, str], shop: ForeignSite, make_visitor: MakeVisitor, open_browser: OpenBrowser
) -> None:
    visitor = make_visitor()
    close(visitor)
    unknown = visitor.base.replace("guide.", "nobody.")
    shop.show(f"{TEXT}{widget(visitor, **values)}<script src='{unknown}/embed.js'></script>")
    page = open_browser().new_page()
    page.goto(shop.origin())
    expect(page.get_by_role("heading", name="The shop")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.locator("iframe")).to_have_count(0)
    faults = page.context.faults.found  # type: ignore[attr-defined]
    assert [fault for fault in faults if "nobody." not in fault] == []
    faults.clear()
