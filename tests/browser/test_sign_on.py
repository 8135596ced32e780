"""Signing on with another portal in a real browser."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from portal.accounts.models import Account, UserProfile
from portal.database import db
from portal.sign_on_settings import RoleRule
from tests.browser.conftest import Axe, OpenBrowser
from tests.browser.test_pages import faults_of_look
from tests.open_id_service import CLIENT_ID, SECRET, OpenIdService, let_in
from tests.people import PASSWORD, People
from tests.planes import Planes

pytestmark = pytest.mark.engine_independent


def test_the_way_there_and_back(
    open_browser: OpenBrowser, planes: Planes, people: People, open_id: OpenIdService
) -> None:
    with planes.worker.app_context():
        number = db.session.get_one(Account, people.alice.account_id).account_number
    let_in(planes, open_id.issuer, RoleRule("staff", number, "viewer"))
    open_id.person["groups"] = ["staff"]
    page = open_browser(None).new_page()
    page.goto("/requests/")
    page.get_by_role("link", name="Sign in with the company portal").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
    expect(page.locator("summary.person")).to_contain_text("nora-berg")
    assert open_id.refusals == []


@pytest.fixture
def certified(planes: Planes, certified_provider: Path) -> Iterator[str]:
    """The issuer of a provider that others have certified, in a process of its own."""
    back = f"{planes.settings.platform_url}/login/sign-on/back"
    words = ["node", str(certified_provider), CLIENT_ID, SECRET, back]
    before = planes.admin.extensions["portal_adapters"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
        process.terminate()
    planes.admin.extensions["portal_adapters"] = before


def test_a_certified_provider_signs_somebody_on(
    open_browser: OpenBrowser, planes: Planes, people: People, certified: str
) -> None:
    with planes.worker.app_context():
        number = db.session.get_one(Account, people.alice.account_id).account_number
    let_in(planes, certified, RoleRule("staff", number, "viewer"))
    page = open_browser(None).new_page()
    page.goto("/requests/")
    page.get_by_role("link", name="Sign in with the company portal").click()
    page.get_by_placeholder("Enter any login").fill("nora")
    page.get_by_placeholder("and password").fill(PASSWORD)
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
    expect(page.locator("summary.person")).to_contain_text("nora")
    with planes.worker.app_context():
        query = db.select(UserProfile).where(UserProfile.account_id == people.alice.account_id)
        roles = {one.user.username: str(one.role) for one in db.session.scalars(query)}
    assert roles["nora"] == "viewer"


def test_a_person_links_the_user_that_they_have(
    open_browser: OpenBrowser, people: People, open_id: OpenIdService, axe_source: str
) -> None:
    page = open_browser(people.alice, color_scheme="light").new_page()
    axe = Axe(page, axe_source)
    page.goto("/account/")
    page.get_by_role("link", name="Sign-on with the company portal").click()
    assert faults_of_look(page, axe, "sign-on") == []
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    assert faults_of_look(page, axe, "the way there") == []
    page.get_by_role("link", name="Go to the company portal").click()
    expect(page.get_by_text("the company portal signs you in from now on.")).to_be_visible()
    assert faults_of_look(page, axe, "linked") == []
    assert open_id.refusals == []
