"""The list of requests in a browser: the drawer beside it, by pointer and by keyboard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, Axe
from tests.history_pages.conftest import Telling

# What a script does does not depend on the database's engine.
pytestmark = pytest.mark.engine_independent


@pytest.fixture
def numbers(tell: Telling, museum: str) -> list[int]:
    """Three requests, oldest first."""
    return [tell(f"question {n}", f"answer {n}", ago=timedelta(minutes=9 - n)) for n in range(3)]


def test_a_row_opens_beside_the_list_and_gives_the_focus_back(
    page: Page, numbers: list[int]
) -> None:
    page.goto("/requests/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    drawer = page.get_by_role("complementary")
    expect(drawer).to_contain_text("answer 2")
    expect(drawer.get_by_role("heading")).to_be_focused()
    expect(page.locator("tr[aria-current]")).to_contain_text("question 2")
    expect(drawer.get_by_role("button", name="Request above")).to_be_disabled()
    drawer.get_by_role("button", name="Request below").click()
    expect(drawer).to_contain_text("answer 1")
    page.keyboard.press("j")
    expect(drawer).to_contain_text("answer 0")
    expect(page.locator("tr[aria-current]")).to_contain_text("question 0")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(page.get_by_role("link", name="question 0")).to_be_focused()
    assert page.url.endswith("/requests/")


def test_where_there_is_no_room_the_row_is_a_link(page: Page, numbers: list[int]) -> None:
    page.set_viewport_size(NARROW)
    page.goto("/requests/")
    page.get_by_role("link", name="question 1").click()
    page.wait_for_url(f"**/requests/{numbers[1]}")
    expect(page.locator("main")).to_contain_text("answer 1")


def test_dragging_over_the_chart_chooses_a_time(page: Page, numbers: list[int]) -> None:
    page.goto("/requests/?range=24h&status=answered")
    box = page.locator("svg[data-choose]").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20)
    expect(page.locator("[data-choose] [data-from]").first).to_be_attached()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + 20)
    page.mouse.up()
    page.wait_for_url("**from=*")
    assert "status=answered" in page.url
    expect(page.locator("[data-rows] > tr")).to_have_count(3)


def test_the_live_tail_adds_rows_above_and_leaves_the_focus_alone(
    page: Page, numbers: list[int], tell: Telling
) -> None:
    page.goto("/requests/?range=24h")
    page.get_by_role("link", name="Live tail").click()
    held = page.get_by_role("link", name="question 1")
    held.focus()
    tell("brand new", "and answered")
    expect(page.locator("[data-rows] > tr").first).to_contain_text("brand new")
    expect(page.locator("[data-rows] > tr")).to_have_count(4)
    expect(held).to_be_focused()
    tell("newer still")
    expect(page.locator("[data-announce]")).to_contain_text("1 new at")
    expect(page.locator("[data-rows] > tr")).to_have_count(5)
    expect(held).to_be_focused()
    page.get_by_role("link", name="Stop the live tail").click()
    expect(page.locator("#status[data-poll-url]")).to_have_count(0)


def test_ten_minutes_of_live_tail_are_answered_with_nothing_new(
    page: Page, numbers: list[int]
) -> None:
    page.clock.install()
    page.goto("/requests/?range=24h&live=1")
    answers: list[int] = []
    page.on(
        "response", lambda found: answers.append(found.status) if "/tail" in found.url else None
    )
    for _ in range(110):
        with page.expect_response("**/requests/tail**"):
            page.clock.run_for(5_500)
    assert answers[0] == 200
    assert set(answers[1:]) == {304}


def test_json_is_a_tree_that_folds_and_a_text_again(
    page: Page, tell: Telling, museum: str, axe_source: str
) -> None:
    sent = {"messages": [{"role": "user", "content": "<b>hours</b>?"}], "id": 12345678901234567891}
    number = tell(request={"message": "When?", "sent": sent, "many": list(range(250))})
    page.goto(f"/requests/{number}")
    tree = page.locator(".tree").first
    expect(tree).to_contain_text("sent: {2}")
    expect(tree).to_contain_text("id: 12345678901234567891")
    messages = tree.locator("summary", has_text="messages")
    messages.click()
    tree.locator("summary", has_text="0: {2}").click()
    expect(tree).to_contain_text('content: "<b>hours</b>?"')
    messages.click()
    expect(tree.get_by_text("<b>hours</b>?")).to_be_hidden()
    tree.get_by_role("button", name="50 more").click()
    expect(tree).to_contain_text("249: 249")
    assert Axe(page, axe_source).violations() == []
    page.get_by_role("button", name="As text").first.click()
    expect(page.locator(".json[open] pre.code").first).to_contain_text('"message": "When?"')
    page.get_by_role("button", name="As a tree").first.click()
    expect(tree).to_be_visible()


def test_json_that_cannot_be_read_stays_text(page: Page, tell: Telling, museum: str) -> None:
    number = tell(request={"message": "long " * 20_000})
    page.goto(f"/requests/{number}")
    expect(page.locator(".json[open] pre.code").first).to_contain_text("long long")
    expect(page.locator(".tree")).to_have_count(0)


def test_more_filters_open_in_their_place(page: Page, numbers: list[int], axe_source: str) -> None:
    page.goto("/requests/?range=24h&slower=2")
    page.get_by_text("More filters and columns").click()
    expect(page.locator("#more-filters summary")).to_be_focused()
    assert page.url.endswith("?range=24h&slower=2")
    expect(page.get_by_label("Took at least (seconds)")).to_have_value("2")
    assert Axe(page, axe_source).violations() == []
    page.get_by_label("LLM client", exact=True).first.select_option(label="museum")
    page.wait_for_url("**client=*")
    assert "slower=2" in page.url
