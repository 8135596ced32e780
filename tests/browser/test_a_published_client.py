"""One story from an empty account to a client on somebody's page, looked at on every page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, FrameLocator, Page, expect

from tests.answering import JSON
from tests.browser.a_story import NAME, Story, Vendor
from tests.browser.conftest import NARROW, WIDE, OpenBrowser
from tests.browser.foreign_pages import attributes, foreign_site
from tests.model_server import MODEL, call, completion, refusal, stream
from tests.people import People

pytestmark = pytest.mark.engine_independent

WORDS = "That was enough for today. Come to the counter."
MODEL_LINE = f"{MODEL} | 128000 | 4096 | 1 | 2"
SUM = stream("**84** ", "guests, in groups:\n\n", "| Group | Size |\n|---|--:|\n| A | 12 |\n")


@pytest.fixture(params=["light", "dark"])
def story(
    request: pytest.FixtureRequest,
    people: People,
    worker: None,
    open_browser: OpenBrowser,
    axe_source: str,
) -> Iterator[Story]:
    """Light on a desk, dark on a telephone."""
    size = WIDE if request.param == "light" else NARROW
    options = {"color_scheme": request.param, "viewport": size}
    with Vendor() as vendor, foreign_site() as shop:
        page = open_browser(**options).new_page()
        yield Story(page, vendor, shop, open_browser, options, axe_source)


def test_from_a_vendors_key_to_a_chat_on_somebodys_page(story: Story) -> None:
    sign_in(story)
    add_the_provider(story)
    set_the_budget_of_the_account(story)
    make_a_plugin(story)
    make_the_client(story)
    attach_the_plugin(story)
    limit_the_client(story)
    key = make_a_key(story, "Ticket desk")
    embed(story)
    deploy_without_the_key(story)
    chat = talk_as_a_visitor(story)
    talk_on_a_foreign_page(story)
    fail_over(story, chat)
    read_the_requests(story)
    use_up_the_budget(story, chat)
    revoke_the_key(story, key, chat)
    assert story.found == []


def sign_in(story: Story) -> None:
    story.page.goto("/")
    story.look("sign in")
    story.fill(User_name="alice", Password="correct horse battery staple")
    story.press("Sign in")
    expect(story.page.get_by_role("heading", level=1)).to_have_text("Overview")


def add_the_provider(story: Story) -> None:
    story.go("Providers")
    story.follow("New provider")
    story.look("vendors")
    story.follow("Another one")
    story.fill(Name="house", Base_URL=f"{story.vendor.url}/v1", API_key="sk-of-the-house-1234")
    story.fill(Default_model=MODEL, Models=MODEL_LINE)
    story.look("new provider")
    story.press("Add the provider")
    story.reads("It has 2 models.")
    story.reads("small-model")
    story.reads("US$ 2.00")
    story.look("provider")


def set_the_budget_of_the_account(story: Story) -> None:
    story.go("Limits")
    story.look("limits, none set")
    story.follow("Change the account’s limits")
    story.fill(Tokens_a_day="2,000,000", Money_a_month="25")
    story.look("limits of the account")
    story.press("Save the limits")
    story.reads("0 of 2,000,000 tokens")


def make_a_plugin(story: Story) -> None:
    story.go("Plugins")
    story.look("no plugins")
    story.follow("New plugin")
    story.look("kinds of plugins")
    story.follow("Static data")
    story.fill(Name="Opening hours", Data='{"open": "9 to 17"}', Description="When it is open.")
    story.press("Add the plugin")
    story.press("Test with these values")
    expect(story.page.get_by_label("What the model reads")).to_have_text('{"open":"9 to 17"}')
    story.look("plugin")


def make_the_client(story: Story) -> None:
    page = story.page
    story.go("LLM clients")
    story.look("no clients")
    story.follow("New LLM client")
    story.fill(Name=NAME, Model=MODEL, Title="The Museum", System_role="You help visitors.")
    page.get_by_label("Provider", exact=True).select_option("house")
    page.get_by_label("Fallback provider").select_option("demo")
    story.fill(Fallback_model="demo", Welcome_message="Welcome!")
    page.get_by_label("Calculator", exact=True).check()
    page.get_by_label("Logo from a file").set_input_files([a_picture()])
    page.get_by_label("Visitors may attach files").check()
    story.look("new client")
    story.press("Save as revision 1")
    story.reads(f"{NAME} is created.")
    story.look("client")


def a_picture() -> FilePayload:
    written = BytesIO()
    Image.new("RGB", (300, 300), "navy").save(written, "PNG")
    return {"name": "logo.png", "mimeType": "image/png", "buffer": written.getvalue()}


def attach_the_plugin(story: Story) -> None:
    story.open_client("Plugins")
    story.press("Attach Opening hours")
    story.reads("Opening hours is attached in revision 2.")
    story.look("plugins of the client")


def limit_the_client(story: Story) -> None:
    story.open_client("Limits")
    story.reads("0 of 1,000,000 tokens")
    set_limits(story, "500,000")
    story.reads("0 of 500,000 tokens")
    story.look("limits of the client")


def set_limits(story: Story, tokens: str) -> None:
    story.follow("Change the limits")
    story.fill(Tokens_a_day=tokens, What_the_assistant_says_then=WORDS)
    story.look("change the limits of the client")
    story.press("Save the limits")
    story.reads(WORDS)


def make_a_key(story: Story, name: str) -> str:
    """Attached to the client; returns its text."""
    story.open_client("Keys")
    story.follow("New API key")
    story.fill(Name=name)
    expect(story.page.get_by_label(NAME)).to_be_checked()
    story.look("new key")
    story.press("Create the key")
    story.look("the text of a key")
    text = story.page.get_by_label("The text of the key").inner_text()
    story.follow("I have copied it")
    story.look("keys")
    story.open_client("Keys")
    story.reads(name)
    story.look("keys of the client")
    return text


def embed(story: Story) -> None:
    story.open_client("Embed")
    story.reads("It answers only callers that present an API key")
    snippet = story.page.get_by_label("Widget, floating", exact=True).inner_text()
    found = re.search(r'src="(http://museum-guide\.[^/"]+)/embed\.js"', snippet)
    assert found, snippet
    story.host = found[1]
    story.fill(Allowed_origins=story.shop.origin())
    story.press("Save the origins")
    story.look("embed")


def deploy_without_the_key(story: Story) -> None:
    """With its key nothing warns; without one the worst day is told."""
    story.open_client()
    story.follow("Deploy…")
    expect(story.page.get_by_text("No API key is attached")).to_have_count(0)
    story.follow("Cancel")
    story.open_client("Keys")
    story.follow("Detach… Ticket desk")
    story.reads(f"Anyone will be able to use {NAME}")
    story.look("detach the key")
    story.press("Detach Ticket desk")
    story.open_client()
    story.follow("Deploy…")
    story.reads("No API key is attached: anyone who knows the address can use this client.")
    story.reads("At worst it costs US$ 1.00 a day: its budget of 500,000 tokens")
    story.look("deploy")
    story.press("Deploy revision 2")
    expect(story.page.locator(".head-title")).to_contain_text("Ready")
    story.look("deployed")


def talk_as_a_visitor(story: Story) -> Page:
    permissions = ["clipboard-read", "clipboard-write"]
    chat = story.open_browser(permissions=permissions, **story.options).new_page()
    chat.goto(story.host)
    expect(chat.locator("img.chat-logo")).to_be_visible()
    story.look("chat, empty", chat)
    story.vendor.plays(stream(calls=[call("calculator", {"expression": "12 * 7"})]), SUM)
    ask(chat, "How many are twelve groups of seven?")
    expect(answer_in(chat).locator("strong")).to_have_text("84")
    stop_an_answer(story, chat)
    story.vendor.plays(stream("We open ", "at *nine*."))
    ask(chat, "When do you open?")
    story.vendor.plays(stream("At **nine**."))
    chat.get_by_role("button", name="Answer again").click()
    expect(answer_in(chat).locator("strong")).to_have_text("nine")
    chat.get_by_role("button", name="Copy the answer").last.click()
    expect(chat.locator("[data-announce]")).to_have_text("Copied")
    assert chat.evaluate("navigator.clipboard.readText()") == "At **nine**."
    chat.get_by_role("button", name="This chat is helpful").click()
    expect(chat.locator("[data-chat-announce]")).to_have_text("Rated as helpful.")
    story.look("chat", chat)
    attach_a_file(story, chat)
    return chat


def ask(chat: Page | FrameLocator, question: str) -> None:
    chat.get_by_label("Your message").fill(question)
    chat.get_by_role("button", name="Send").click()
    expect(chat.locator("[data-talk]")).to_contain_text(question)
    expect(chat.locator("[data-stop]")).to_be_hidden()


def answer_in(chat: Page) -> Any:
    return chat.locator("[data-talk] .chat-theirs [data-part=answer]").last


def stop_an_answer(story: Story, chat: Page) -> None:
    story.vendor.plays(stream(*("la " for _ in range(500))))
    story.vendor.drip_seconds = 0.0005
    chat.get_by_label("Your message").fill("Sing")
    chat.get_by_role("button", name="Send").click()
    expect(answer_in(chat)).to_contain_text("la la")
    chat.get_by_role("button", name="Stop answering").click()
    expect(chat.locator("[data-sentence]").last).to_have_text("Stopped.")
    story.vendor.drip_seconds = 0


def attach_a_file(story: Story, chat: Page) -> None:
    file: FilePayload = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"Hall A, Hall B"}
    chat.locator("[data-files]").set_input_files([file])
    story.look("chat with a file", chat)
    story.vendor.plays(stream("Two halls."))
    ask(chat, "What is in it?")
    expect(answer_in(chat)).to_have_text("Two halls.")
    assert "Hall A, Hall B" in story.vendor.asked[-1].body


def talk_on_a_foreign_page(story: Story) -> None:
    values = attributes(label="Ask us")
    script = f"<script src='{story.host}/embed.js' {values}></script>"
    story.shop.show(f"<main><h1>The shop</h1></main>{script}")
    page = story.open_browser(**story.options).new_page()
    page.goto(story.shop.origin())
    page.get_by_role("button", name="Ask us", exact=True).click()
    story.vendor.plays(stream("Welcome to the ", "**shop**."))
    chat = page.frame_locator("iframe[title='Ask us']")
    ask(chat, "Hello?")
    expect(chat.locator("[data-talk] strong")).to_have_text("shop")
    story.look("widget", page)


def fail_over(story: Story, chat: Page) -> None:
    story.vendor.plays(refusal(503))
    ask(chat, "Are you there?")
    expect(answer_in(chat)).to_contain_text("You asked: “Are you there?”")


def open_request(story: Story, question: str) -> None:
    """As a page; where there is room, the row opens it beside the list first."""
    size = story.page.viewport_size
    if size and size["width"] >= 1200:
        story.page.get_by_role("link", name=question, exact=True).first.click()
        story.follow("Open as a page")
    else:
        story.follow(question)


def read_the_requests(story: Story) -> None:
    story.go("Requests")
    story.look("requests")
    open_request(story, "How many are twelve groups of seven?")
    tools = story.page.get_by_role("region", name="Tools that the model called")
    expect(tools).to_contain_text("calculator")
    story.reads("(your own price)")
    story.look("request with a tool")
    story.go("Requests")
    open_request(story, "Are you there?")
    attempts = story.page.get_by_role("region", name="Attempts that failed")
    expect(attempts).to_contain_text(f"{MODEL} of house")
    story.look("request with an attempt")


def use_up_the_budget(story: Story, chat: Page) -> None:
    story.go("Limits")
    expect(story.page.get_by_text(re.compile(r"^[1-9][\d,]* of 2,000,000 tokens"))).to_be_visible()
    story.look("limits")
    story.open_client("Limits")
    set_limits(story, "1")
    chat.get_by_label("Your message").fill("One more?")
    chat.get_by_role("button", name="Send").click()
    expect(chat.locator("[data-sentence]").last).to_have_text(WORDS)
    story.look("chat at its limit", chat)


def revoke_the_key(story: Story, key: str, chat: Page) -> None:
    """Another key keeps the client closed, so the revoked one opens nothing."""
    story.open_client("Limits")
    set_limits(story, "500,000")
    story.open_client("Keys")
    story.press("Attach Ticket desk")
    make_a_key(story, "Second desk")
    story.vendor.plays(completion("Hello."))
    assert a_program_asks(story, key)[0] == 200
    story.open_client("Keys")
    story.follow("Ticket desk")
    story.look("key")
    story.follow("Revoke…")
    story.look("revoke the key")
    story.press("Revoke Ticket desk")
    status, answer = a_program_asks(story, key)
    assert (status, answer["error"]["code"]) == (401, "invalid_api_key")
    chat.goto(story.host)
    expect(chat.get_by_role("heading", level=1)).to_have_text("A key is needed")
    story.look("chat that needs a key", chat)


def a_program_asks(story: Story, key: str) -> tuple[int, Any]:
    host = story.host.removeprefix("http://")
    connection = HTTPConnection("127.0.0.1", int(host.rpartition(":")[2]), timeout=10)
    body = json.dumps({"model": NAME, "messages": [{"role": "user", "content": "Hello"}]})
    headers = {"Host": host, "Authorization": f"Bearer {key}", "Content-Type": JSON}
    connection.request("POST", "/v1/chat/completions", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer
