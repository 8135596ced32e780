"""Passkeys in a real browser, with Chromium's own virtual device."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Axe, OpenBrowser
from tests.browser.test_pages import faults_of_look
from tests.people import PASSWORD, People

pytestmark = pytest.mark.engine_independent
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Device:
    """A virtual device of a page's browser."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable", {"enableUI": False})
        made = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
        self._id = made["authenticatorId"]

    def knows_its_owner(self, yes: bool) -> None:
        told = {"authenticatorId": self._id, "isUserVerified": yes}
        self._session.send("WebAuthn.setUserVerified", told)

    def stored(self) -> list[dict[str, Any]]:
        found = self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        keys: list[dict[str, Any]] = found["credentials"]
        return keys


def sign_out(page: Page) -> None:
    """By the page: a cookie that is only deleted may come back with a late answer."""
    page.goto("/account/sessions/revoke-all")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_passkey_is_registered_and_signs_in(
    open_browser: OpenBrowser, people: People, axe_source: str
) -> None:
    page = open_browser(people.alice, color_scheme="light").new_page()
    device = Device(page)
    page.goto("/account/passkeys")
    page.get_by_label("Name").fill("This computer")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    assert faults_of_look(page, Axe(page, axe_source), "new passkey") == []
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep your recovery codes")
    assert faults_of_look(page, Axe(page, axe_source), "recovery codes") == []
    assert [key["isResidentCredential"] for key in device.stored()] == [True]
    sign_out(page)

    page.goto("/login?next=/account/passkeys")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your passkeys")
    expect(page.get_by_role("main")).to_contain_text("This computer")
    sign_out(page)

    device.knows_its_owner(False)
    page.goto("/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Nothing was chosen, or it took too long.")).to_be_visible()

    device.knows_its_owner(True)
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The second step")
    assert faults_of_look(page, Axe(page, axe_source), "second step") == []
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_without_script_the_password_way_stays(open_browser: OpenBrowser, people: People) -> None:
    page = open_browser(None, java_script_enabled=False).new_page()
    page.goto("/login")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
