"""The tour of a plugin: added with a mistake, tested beside its form, attached to a client."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.test_pages import faults_of_look
from tests.people import MakeClient

pytestmark = pytest.mark.engine_independent


def test_a_plugin_is_added_tested_and_attached(
    page: Page, make_client: MakeClient, worker: None, axe_source: str
) -> None:
    make_client("cellar_guide")
    page.emulate_media(color_scheme="light")
    page.goto("/plugins/")
    page.get_by_role("main").get_by_role("link", name="New plugin").first.click()
    page.get_by_role("link", name="Static data").click()
    page.get_by_label("Name", exact=True).fill("Opening hours")
    page.get_by_label("Data", exact=True).fill('{"open": "9 to 17",}')
    page.get_by_role("button", name="Add the plugin").click()
    expect(page.get_by_role("alert")).to_contain_text("It breaks off at line 1")
    assert faults_of_look(page, Axe(page, axe_source), "mistake") == []
    page.get_by_label("Data", exact=True).fill('{"open": "9 to 17"}')
    page.get_by_role("button", name="Add the plugin").click()
    page.get_by_role("button", name="Test with these values").click()
    expect(page.get_by_label("What the model reads")).to_have_text('{"open":"9 to 17"}')
    assert faults_of_look(page, Axe(page, axe_source), "tested") == []
    page.goto("/llm-clients/")
    page.get_by_role("link", name="cellar_guide").first.click()
    page.get_by_role("navigation", name="cellar_guide").get_by_role("link", name="Plugins").click()
    page.get_by_role("button", name="Attach Opening hours").click()
    expect(page.get_by_text("Opening hours is attached in revision 2.")).to_be_visible()
    page.get_by_role("button", name="Turn off Opening hours").click()
    expect(page.get_by_text("turned off in revision 3.")).to_be_visible()
