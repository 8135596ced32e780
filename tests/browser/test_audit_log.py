"""The audit log in a browser: with events of every kind, wide and narrow, light and dark."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe, OpenBrowser
from tests.browser.test_pages import faults_of_look
from tests.people import MakeClient, People


def test_changes_are_read_and_the_seals_checked(
    page: Page, open_browser: OpenBrowser, people: People, make_client: MakeClient, axe_source: str
) -> None:
    alice = people.browser(people.alice)
    path = f"/llm-clients/{make_client('the_guide_through_the_museum_of_natural_history')}/"
    role = "You guide through the museum.\nAnswer in two sentences.\n" + "Be kind. " * 60
    values = {**alice.get(f"{path}edit").values(), "description": "For the foyer"}
    alice.post(f"{path}edit", {**values, "default_system_role": role})
    alice.post("/settings/", {**alice.get("/settings/").values(), "currency": "CHF"})
    page.emulate_media(color_scheme="light")
    page.goto("/audit/")
    for summary in page.locator("li details > summary").all():
        summary.click()
    assert not faults_of_look(page, Axe(page, axe_source), "audit log")
    page.set_viewport_size({"width": 360, "height": 800})
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="Check the seals").click()
    expect(page.get_by_text("none missing, none added")).to_be_visible()
    page.get_by_role("link", name="LLM client the_guide").first.click()
    expect(page.locator("[data-rows] > li")).to_have_count(1)
