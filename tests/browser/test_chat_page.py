"""The hosted chat page in a browser: it streams, stops, copies, rates, and runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from portal.database import db
from portal.providers.models import Provider
from portal.request_history.models import Prompt
from tests.browser.conftest import NARROW, WIDE, Axe, OpenBrowser, too_wide
from tests.faults.vendor import Vendor, part
from tests.people import People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor

pytestmark = pytest.mark.engine_independent

END = "data: [DONE]\n\n"
RICH = """# A day at the Kunsthalle

A **family ticket** is *€22* and covers ~~four~~ five of you. See [the plan](https://example.org/plan).

1. **Nordlicht**, ground floor
2. The paper garden
   - touch it

> Closed on Mondays.

| Ticket | Price | Who may use it on which day of the week |
|---|--:|---|
| Family | €22 | Two adults with up to five children, every day |

```python
for work in works_on_show_in_the_house_today:  # a line that is wider than any telephone
    print(work)
```
"""
HOSTILE = """<script>window.ran = 1</script> <img src=x onerror="window.ran = 2">
[one](javascript:window.ran=3) ![two](javascript:window.ran=4) <svg onload="window.ran = 5">

<iframe srcdoc="<script>parent.ran = 6</script>"></iframe>

[three](data:text/html,<script>window.ran=7</script>)
"""


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    made = Vendor()
    yield made
    made.stop()


OpenChat = Callable[..., Page]


@pytest.fixture
def open_chat(
    planes: Planes,
    people: People,
    vendor: Vendor,
    make_visitor: MakeVisitor,
    open_browser: OpenBrowser,
) -> OpenChat:
    """The chat page of a client whose provider says what the test wants."""

    def open_page(columns: dict[str, Any] | None = None, **options: Any) -> Page:
        with planes.worker.app_context():
            account_id = people.alice.account_id
            provider = Provider(account_id=account_id, name="vendor", base_url=vendor.base_url)
            db.session.add(provider)
            db.session.commit()
        values = {"app_name": "Ask the Kunsthalle", "app_assistant": "Klara", **(columns or {})}
        visitor = make_visitor("kunsthalle", provider="vendor", **values)
        page = open_browser(None, base_url=visitor.base, color_scheme="light", **options).new_page()
        page.goto("/")
        return page

    return open_page


def says(vendor: Vendor, text: str, pause: float = 0) -> None:
    """The vendor's next answers, streamed in three parts."""
    third = len(text) // 3
    pieces = (text[:third], text[third : 2 * third], text[2 * third :])
    vendor.streams(*(part(piece) for piece in pieces), part("", "stop"), END, pause=pause)


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your message").fill(question)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Send")).to_be_visible()


def answers(page: Page) -> Any:
    return page.locator("[data-talk] .chat-theirs [data-part=answer]")


def test_an_answer_streams_as_text_and_ends_as_what_it_means(
    open_chat: OpenChat, vendor: Vendor
) -> None:
    page = open_chat()
    says(vendor, "Some **bold words**", pause=0.3)
    page.get_by_label("Your message").fill("What is on?")
    page.keyboard.press("Enter")
    expect(page.locator("[data-part=bubble][aria-busy=true]")).to_be_visible()
    expect(answers(page)).to_contain_text("**")
    expect(answers(page).locator("strong")).to_have_text("bold words")
    expect(page.locator("[data-chat-announce]")).to_have_text("Some bold words")
    expect(page.get_by_label("Your message")).to_be_focused()
    page.reload()
    expect(answers(page).locator("strong")).to_have_text("bold words")


def test_an_answer_is_stopped(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat()
    vendor.streams_for_ever("la ")
    page.get_by_label("Your message").fill("Sing")
    page.keyboard.press("Enter")
    expect(answers(page)).to_contain_text("la la")
    page.get_by_role("button", name="Stop answering").click()
    expect(page.locator("[data-sentence]")).to_have_text("Stopped.")
    assert vendor.left.wait(10)
    expect(page.get_by_role("button", name="Answer again")).to_be_hidden()


def test_the_last_answer_is_replaced_by_another(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat()
    says(vendor, "First")
    ask(page, "One")
    says(vendor, "Second")
    page.get_by_role("button", name="Answer again").click()
    expect(answers(page).last).to_have_text("Second")
    expect(answers(page)).to_have_count(1)
    expect(page.get_by_role("button", name="Answer again")).to_be_focused()
    page.reload()
    expect(answers(page)).to_have_text("Second")


def test_a_failed_second_try_leaves_the_first_answer(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat()
    says(vendor, "First")
    ask(page, "One")
    vendor.answers("500 Oops", "")
    page.get_by_role("button", name="Answer again").click()
    expect(page.locator("[data-sentence]").last).to_be_visible()
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(answers(page).first).to_have_text("First")
    expect(page.get_by_role("button", name="Answer again")).to_be_visible()


def test_answers_and_code_are_copied(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat(permissions=["clipboard-read", "clipboard-write"])
    says(vendor, RICH)
    ask(page, "Tell me")
    page.get_by_role("button", name="Copy the answer").click()
    expect(page.locator("[data-announce]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").strip() == RICH.strip()
    page.get_by_role("button", name="Copy the code").click()
    expect(page.get_by_role("button", name="Copy the code")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("for work in")


def test_a_chat_is_rated_and_the_rating_taken_back(
    open_chat: OpenChat, vendor: Vendor, planes: Planes
) -> None:
    page = open_chat()
    says(vendor, "First")
    ask(page, "One")
    helpful = page.get_by_role("button", name="This chat is helpful")
    helpful.click()
    expect(helpful).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-chat-announce]")).to_have_text("Rated as helpful.")
    page.reload()
    expect(helpful).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="This chat is not helpful").click()
    expect(helpful).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="This chat is not helpful").click()
    expect(page.locator("[data-chat-announce]")).to_have_text("The rating is taken back.")
    with planes.worker.app_context():
        assert db.session.scalars(db.select(Prompt.rating)).all() == [None]


def test_nothing_in_an_answer_runs(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat()
    says(vendor, HOSTILE)
    ask(page, "Attack")
    expect(answers(page)).to_contain_text("onerror")
    for _ in range(2):
        assert answers(page).locator("script, img, svg, iframe, a").count() == 0
        assert page.evaluate("window.ran") is None
        page.reload()


def a_file(name: str, content: str) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": content.encode()}


def test_files_are_chosen_taken_away_and_sent(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat({"app_file_attachment": True})
    field = page.locator("[data-files]")
    field.set_input_files([a_file("one.txt", "first words"), a_file("two.txt", "second words")])
    field.set_input_files([a_file("three.txt", "third words")])
    chips = page.locator("[data-chips] li")
    expect(chips).to_have_text(["one.txt", "two.txt", "three.txt"])
    page.get_by_role("button", name="Remove two.txt").click()
    expect(page.get_by_role("button", name="Remove three.txt")).to_be_focused()
    field.set_input_files([a_file("large.txt", "x" * 100_001)])
    expect(page.locator("[data-files-problem]")).to_have_text("large.txt is larger than 100 KB.")
    says(vendor, "Read.")
    ask(page, "Sum up")
    expect(answers(page)).to_have_text("Read.")
    expect(chips).to_have_count(0)
    sent = vendor.requests[-1]["messages"][-1]["content"]
    assert sent == "Sum up\n\n```one.txt\nfirst words\n```\n\n```three.txt\nthird words\n```"
    for _ in range(2):
        expect(page.locator("[data-talk] .chat-files li")).to_have_text(["one.txt", "three.txt"])
        page.reload()


def test_a_composer_that_grows_covers_nothing(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat({"app_file_attachment": True}, viewport={"width": 360, "height": 520})
    says(vendor, RICH)
    ask(page, "A day?")
    expect(page.get_by_role("button", name="Answer again")).to_be_in_viewport()
    page.locator("[data-files]").set_input_files([a_file(f"{n}.txt", "x") for n in "abc"])
    expect(page.locator("[data-chips] li")).to_have_count(3)
    expect(page.get_by_role("button", name="Answer again")).to_be_in_viewport(ratio=1)


def test_a_refused_file_stays_with_what_was_typed(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat({"app_file_attachment": True})
    page.locator("[data-files]").set_input_files([a_file("a.txt", "with \0 in it")])
    page.get_by_label("Your message").fill("Sum up")
    page.keyboard.press("Enter")
    expect(page.locator("[data-sentence]")).to_have_text("a.txt is not a text file.")
    expect(page.get_by_label("Your message")).to_have_value("Sum up")
    expect(page.locator("[data-chips] li")).to_have_text(["a.txt"])


def test_everything_works_without_script(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat(java_script_enabled=False)
    whole = '{"choices": [{"message": {"role": "assistant", "content": "**%s**"}}]}'
    vendor.answers("200 OK", whole % "First")
    page.get_by_label("Your message").fill("One")
    page.get_by_role("button", name="Send").click()
    assert answers(page).locator("strong").inner_text() == "First"
    vendor.answers("200 OK", whole % "Second")
    page.get_by_role("button", name="Answer again").click()
    assert answers(page).all_inner_texts() == ["Second"]
    page.get_by_role("button", name="This chat is helpful").click()
    pressed = page.get_by_role("button", name="This chat is helpful").get_attribute("aria-pressed")
    assert pressed == "true"


def test_axe_finds_nothing_and_nothing_is_too_wide(
    open_chat: OpenChat, vendor: Vendor, axe_source: str
) -> None:
    page = open_chat({"app_example_prompts": ["Is it open?"], "app_file_attachment": True})
    axe, found = Axe(page, axe_source), []
    says(vendor, RICH)
    ask(page, "A day?")
    page.locator("[data-files]").set_input_files([a_file("a_long_name" * 9 + ".txt", "x")])
    for size in (WIDE, NARROW, {"width": 360, "height": 520}):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += axe.violations() + too_wide(page)
    assert found == []


def test_what_is_pressed_is_large_enough(open_chat: OpenChat, vendor: Vendor) -> None:
    page = open_chat({"app_file_attachment": True}, viewport=NARROW)
    says(vendor, RICH)
    ask(page, "A day?")
    page.locator("[data-files]").set_input_files([a_file("a.txt", "x")])
    sizes = page.evaluate(
        "[...document.querySelectorAll('button')].map((b) => [b.ariaLabel || b.textContent, "
        "b.getBoundingClientRect()]).filter(([, r]) => r.width && (r.width < 44 || r.height < 44))"
        ".map(([name, r]) => `${name} ${r.width} x ${r.height}`)"
    )
    assert sizes == []
