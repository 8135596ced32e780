"""A logo and a background from files: seen before they are saved, after it, and by visitors."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import NARROW, WIDE, Axe, too_wide
from tests.people import MakeClient

pytestmark = pytest.mark.engine_independent


def picture(colour: str, size: tuple[int, int]) -> FilePayload:
    written = BytesIO()
    Image.new("RGB", size, colour).save(written, "PNG")
    return {"name": "picture.png", "mimeType": "image/png", "buffer": written.getvalue()}


def test_uploads_are_previewed_saved_and_seen_by_visitors(
    page: Page, worker: None, make_client: MakeClient, axe_source: str
) -> None:
    path = f"/llm-clients/{make_client('museum', app_name='The Museum')}/"
    page.goto(path + "edit")
    page.get_by_label("Logo from a file").set_input_files([picture("navy", (300, 300))])
    page.get_by_label("Background from a file").set_input_files([picture("beige", (1600, 900))])
    images = page.locator("[data-preview] img[data-image]")
    for place in range(2):
        expect(images.nth(place)).to_have_attribute("src", re.compile("^data:image/png"))
        expect(images.nth(place)).to_be_visible()
    page.get_by_role("button", name="Save as revision 2").click()
    page.goto(path + "edit")
    for place in range(2):
        expect(images.nth(place)).to_have_attribute("src", re.compile(f"^{path}images/"))
        expect(images.nth(place)).to_be_visible()
    axe, found = Axe(page, axe_source), []
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        found += axe.violations() + too_wide(page)
    assert found == []
    page.goto(path + "deploy")
    page.get_by_role("button", name="Deploy revision 2").click()
    expect(page.locator(".head-title")).to_contain_text("Ready")
    page.get_by_role("link", name="Open the chat").click()
    for selector, width in ((".chat-logo", 300), (".chat-back", 1600)):
        seen = "(image) => image.decode().then(() => image.naturalWidth)"
        assert page.locator(selector).evaluate(seen) == width
    assert axe.violations() == []
