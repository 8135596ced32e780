"""Somebody is invited, comes, adds a second factor, forgets the password: in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from portal.accounts.models import User
from portal.database import db, utc_now
from portal.people import totp
from tests.browser.conftest import OpenBrowser
from tests.people import People
from tests.planes import Planes
from tests.post_office import PostOffice

pytestmark = pytest.mark.engine_independent
PASSWORD, OTHER = "seven quiet otters", "eleven patient lanterns"


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_from_the_invitation_to_the_second_factor_and_another_password(
    script: bool,
    open_browser: OpenBrowser,
    planes: Planes,
    people: People,
    post_office: PostOffice,
    run_jobs: Callable[..., int],
) -> None:
    admin = open_browser(people.alice, java_script_enabled=script).new_page()
    admin.goto("/users/")
    admin.get_by_role("link", name="Invite somebody").click()
    admin.get_by_label("Mail address").fill("nora@example.com")
    admin.get_by_label("Viewer").check()
    admin.get_by_role("button", name="Send the invitation").click()
    expect(admin.get_by_text("on its way to nora@example.com")).to_be_visible()
    [invitation] = post_office.deliver()

    page = open_browser(None, java_script_enabled=script).new_page()
    page.goto(invitation.link)
    heading(page, "Join Birkenhof Media")
    page.get_by_label("User name").fill("nora")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_role("button", name="Join Birkenhof Media").click()
    heading(page, "Overview")

    page.goto("/account/second-factor")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Add an app").click()
    expect(page.get_by_role("img", name="QR code with the key below")).to_be_visible()
    key = page.locator("main code").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(totp.code_of(key, totp.step_of(utc_now())))
    page.get_by_role("button", name="Add the app").click()
    heading(page, "Keep your recovery codes")
    recovery = page.locator("pre.code").inner_text().split()[0]

    page.goto("/account/sessions/revoke-all")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_role("button", name="Sign out everywhere").click()
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("User name or mail address").fill("nora@example.com")
    page.get_by_role("button", name="Send the link").click()
    heading(page, "Look at your mails")
    run_jobs()
    page.goto(post_office.taken[-1].link)
    page.get_by_label("New password").fill(OTHER)
    page.get_by_label("The same once more").fill(OTHER)
    page.get_by_role("button", name="Change the password").click()
    page.get_by_label("User name").fill("nora")
    page.get_by_label("Password").fill(OTHER)
    page.get_by_role("button", name="Sign in", exact=True).click()
    heading(page, "The second step")
    page.get_by_label("Code", exact=True).fill(recovery)
    page.get_by_role("button", name="Sign in", exact=True).click()
    heading(page, "Overview")
    admin.reload()
    expect(admin.get_by_role("row", name="nora")).to_contain_text("Yes")
    with planes.worker.app_context():
        assert db.session.scalars(db.select(User.email).filter_by(username="nora")).one()
    admin.goto("/notifications/mails")
    expect(admin.get_by_role("main")).to_contain_text("nora@example.com")
    secrets = [mail.link.rpartition("/")[2] for mail in post_office.taken if "http" in mail.text]
    assert len(secrets) >= 2
    assert not any(secret in admin.content() for secret in secrets)
