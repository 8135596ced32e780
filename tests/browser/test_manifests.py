"""A manifest in a real browser: the look at what would change, the mistakes, the token made."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.accounts.test_tokens_too import token_of
from tests.browser.conftest import Axe
from tests.browser.test_pages import faults_of_look
from tests.manifests import pictures
from tests.manifests.test_history_and_webhooks import WEBHOOK
from tests.people import PASSWORD, MakeClient, People

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


def test_images_are_seen_as_a_line_and_then_done(page: Page, axe_source: str) -> None:
    logo, photo = pictures.photo("PNG"), pictures.photo("JPEG") + b"\0" * 1_500_000
    names = pictures.digest_of(logo), pictures.digest_of(photo)
    client = pictures.client("guide", appLogoUpload=names[0], appBackgroundUpload=names[1])
    text = pictures.document(logo) + pictures.document(photo, "background") + client
    page.emulate_media(color_scheme="light")
    page.goto("/manifests/")
    file = {"name": "guide.yaml", "mimeType": "application/yaml", "buffer": text.encode()}
    page.get_by_label("Or a file").set_input_files(file)
    page.get_by_role("button", name="Show what would change").click()
    changes = page.locator("#what-would-change .rows")
    expect(changes).to_contain_text("image/png, 1.8 KB, SHA-256")
    expect(changes).to_contain_text("Drawn anew from its pixels")
    assert faults_of_look(page, Axe(page, axe_source), "plan") == []
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Applied: 3 created.")


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


def test_the_secret_of_a_new_webhook_is_seen_once(page: Page, axe_source: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/manifests/")
    page.get_by_label("Manifest", exact=True).fill(WEBHOOK)
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_label("The secret of orders", exact=True)).to_contain_text("whsec_")
    assert faults_of_look(page, Axe(page, axe_source), "secret") == []
    page.goto("/manifests/")
    expect(page.get_by_text("whsec_")).to_have_count(0)


def test_who_is_signed_out_loses_tokens_too(page: Page, people: People, axe_source: str) -> None:
    token_of(people.planes, people.bob)
    page.goto(f"/users/{people.bob.profile_id}/sign-out")
    expect(page.get_by_label("Revoke their API tokens, too")).to_be_checked()
    assert faults_of_look(page, Axe(page, axe_source), "sign out") == []
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("status").first).to_contain_text("bob is signed out everywhere")
