"""Signing on with another portal in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from portal.accounts.models import Account
from portal.database import db
from portal.sign_on_settings import RoleRule
from tests.browser.conftest import OpenBrowser
from tests.open_id_service import OpenIdService, let_in
from tests.people import People
from tests.planes import Planes

pytestmark = pytest.mark.engine_independent


def test_the_way_there_and_back(
    open_browser: OpenBrowser, planes: Planes, people: People, open_id: OpenIdService
) -> None:
    with planes.worker.app_context():
        number = db.session.get_one(Account, people.alice.account_id).account_number
    let_in(planes, open_id, RoleRule("staff", number, "viewer"))
    open_id.person["groups"] = ["staff"]
    page = open_browser(None).new_page()
    page.goto("/requests/")
    page.get_by_role("link", name="Sign in with the company portal").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
    expect(page.locator("summary.person")).to_contain_text("nora-berg")
    assert open_id.refusals == []
