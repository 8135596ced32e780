"""Choosing a time in a chart: by dragging, by a click, by the keyboard; and letting go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient
from tests.browser.conftest import NARROW, OpenBrowser
from tests.counted import count
from tests.people import MakeClient, People
from tests.planes import Planes

pytestmark = pytest.mark.engine_independent

Middle = Callable[[int], tuple[float, float]]


@pytest.fixture
def overview(page: Page, planes: Planes, make_client: MakeClient) -> Page:
    asked_once(planes, make_client)
    page.goto("/")
    come_near(page)
    return page


def come_near(page: Page) -> None:
    """The numbers are fetched when a pointer is over a chart's card."""
    page.locator(".card-header:has(.plot-key)").first.hover()
    expect(bars(page).first).to_be_attached()


def asked_once(planes: Planes, make_client: MakeClient) -> None:
    """Without any request there is no chart."""
    make_client()
    with planes.worker.app_context():
        count(db.session.scalars(db.select(LLMClient)).one(), utc_now())


def bars(page: Page) -> Locator:
    return page.locator("[data-choose] [data-from]")


def middle_of(bar: Locator) -> tuple[float, float]:
    box = bar.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def press_and_move(page: Page, first: int, last: int) -> None:
    page.mouse.move(*middle_of(bars(page).nth(first)))
    page.mouse.down()
    page.mouse.move(*middle_of(bars(page).nth(last)), steps=4)


def chosen_time(page: Page) -> tuple[str, str]:
    """`from` and `to` of the list of requests, once it is there."""
    page.wait_for_url("**/requests/?*")
    values = parse_qs(urlsplit(page.url).query)
    return values["from"][0], values["to"][0]


def time_of(page: Page, first: int, last: int) -> tuple[str, str]:
    start = bars(page).nth(first).get_attribute("data-from")
    end = bars(page).nth(last).get_attribute("data-to")
    assert start
    assert end
    return start, end


def test_dragging_from_bar_to_bar_chooses_all_between(overview: Page) -> None:
    expected = time_of(overview, 2, 6)
    press_and_move(overview, 2, 6)
    expect(overview.locator("[data-choose] .is-chosen")).to_have_count(5)
    words = overview.locator("[data-chosen]").first
    expect(words).to_contain_text(", 12:00 to ")
    expect(words).to_be_in_viewport()
    overview.mouse.up()
    assert chosen_time(overview) == expected
    start, end = (datetime.fromisoformat(value) for value in expected)
    assert end - start == timedelta(hours=30)


def test_dragging_backwards_is_the_same(overview: Page) -> None:
    expected = time_of(overview, 2, 6)
    press_and_move(overview, 6, 2)
    overview.mouse.up()
    assert chosen_time(overview) == expected


def test_letting_go_outside_the_chart_chooses_up_to_its_end(overview: Page) -> None:
    expected = time_of(overview, 20, 27)
    press_and_move(overview, 20, 24)
    x, y = middle_of(bars(overview).nth(27))
    overview.mouse.move(x + 400, y + 200)
    overview.mouse.up()
    assert chosen_time(overview) == expected


def test_escape_lets_go(overview: Page) -> None:
    before = overview.url
    press_and_move(overview, 2, 6)
    overview.keyboard.press("Escape")
    expect(overview.locator("[data-choose] .is-chosen")).to_have_count(0)
    expect(overview.locator("[data-chosen]").first).to_be_empty()
    overview.mouse.move(*middle_of(bars(overview).nth(2)))
    overview.mouse.up()
    overview.wait_for_timeout(200)
    assert overview.url == before


def test_a_click_chooses_one_bar(overview: Page) -> None:
    expected = time_of(overview, 3, 3)
    overview.mouse.click(*middle_of(bars(overview).nth(3)))
    assert chosen_time(overview) == expected


def test_a_place_tells_its_numbers_to_the_pointer(overview: Page) -> None:
    titles = overview.locator("[data-choose]").first.locator("[data-from] title")
    told = [text.splitlines()[1:3] for text in titles.all_text_contents()]
    assert told.count(["Answered: 1", "Visitor left: 0"]) == 1
    assert told.count(["Answered: 0", "Visitor left: 0"]) == len(told) - 1


def test_without_script_the_table_has_the_links(
    open_browser: OpenBrowser, people: People, planes: Planes, make_client: MakeClient
) -> None:
    asked_once(planes, make_client)
    page = open_browser(people.alice, java_script_enabled=False).new_page()
    page.goto("/")
    page.get_by_text("Show the numbers as a table").first.click()
    page.wait_for_url("**/?with=numbers#numbers-*")
    link = page.locator("tbody th a").nth(3)
    expected = {"from", "to"} <= parse_qs(urlsplit(link.get_attribute("href") or "").query).keys()
    assert expected
    link.click()
    assert all(chosen_time(page))


def test_a_finger_chooses_too(
    open_browser: OpenBrowser, people: People, planes: Planes, make_client: MakeClient
) -> None:
    asked_once(planes, make_client)
    context = open_browser(people.alice, viewport=NARROW, has_touch=True)
    page = context.new_page()
    page.goto("/")
    page.locator("[data-choose]").first.scroll_into_view_if_needed()
    expect(bars(page).first).to_be_attached()  # no pointer comes near before it touches
    expected = time_of(page, 4, 9)
    finger = context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in places]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", middle_of(bars(page).nth(4)))
    for index in (5, 7, 9):
        touch("touchMove", middle_of(bars(page).nth(index)))
    expect(page.locator("[data-choose] .is-chosen")).to_have_count(6)
    touch("touchEnd")
    assert chosen_time(page) == expected


def test_the_keyboard_finds_one_stop_and_the_same_links(
    page: Page, planes: Planes, make_client: MakeClient
) -> None:
    asked_once(planes, make_client)
    page.goto("/")
    overview, summary = page, page.get_by_text("Show the numbers as a table").first
    overview.locator("main .head a, main .stats a").last.focus()
    overview.keyboard.press("Tab")
    expect(summary).to_be_focused()
    overview.keyboard.press("Enter")
    expect(
        overview.locator("details summary").get_by_text("Show the numbers").first
    ).to_be_focused()
    expected = time_of(overview, 1, 1)
    for _ in range(3):  # the region that scrolls, then the links
        overview.keyboard.press("Tab")
    overview.keyboard.press("Enter")
    assert chosen_time(overview) == expected
