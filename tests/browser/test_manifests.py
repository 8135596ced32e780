"""A manifest in a real browser: the look at what would change, the mistakes, the token made."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe
from tests.browser.test_pages import faults_of_look
from tests.people import PASSWORD, MakeClient

pytestmark = pytest.mark.engine_independent

HEAD = "apiVersion: portal/v1\nkind: LLMClient\n"
TEXT = f"""{HEAD}metadata: {{name: lake_guide, tags: [guests, lake]}}
spec:
  defaultSystemRole: |-
    You help guests of the hotel at the lake.
    You are brief, and you never promise a room.
    Say https://example.com/a/very/long/address/that/goes/on/and/on/and/on/until/nobody/reads/it
  deployed: true
---
{HEAD}metadata: {{name: example}}
spec: {{appName: Lake}}
"""


def test_what_would_change_is_seen_and_then_done(
    page: Page, make_client: MakeClient, axe_source: str
) -> None:
    make_client()
    page.emulate_media(color_scheme="light")
    page.goto("/manifests/")
    page.get_by_label("Manifest", exact=True).fill(TEXT)
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    assert faults_of_look(page, Axe(page, axe_source), "plan") == []
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Applied: 1 created, 1 changed.")


def test_mistakes_are_told_beside_what_was_written(page: Page, axe_source: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/manifests/")
    page.get_by_label("Manifest", exact=True).fill(TEXT.replace("appName", "appNam"))
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_role("main")).to_contain_text("Did you mean `appName`?")
    expect(page.get_by_label("Manifest", exact=True)).to_have_value(
        TEXT.replace("appName", "appNam")
    )
    assert faults_of_look(page, Axe(page, axe_source), "mistakes") == []


def test_a_token_is_seen_once(page: Page, axe_source: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/account/tokens")
    page.get_by_label("Name").fill("nightly")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Copy the token nightly")
    assert faults_of_look(page, Axe(page, axe_source), "made") == []
