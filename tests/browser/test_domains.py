"""A domain in a real browser: added, its records copied, a finding that appears by itself."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.llm_clients.models import LLMClient
from tests.browser.conftest import NARROW, Axe, OpenBrowser, too_wide
from tests.domain_setup import some_domains
from tests.people import MakeClient, People
from tests.planes import Planes

pytestmark = pytest.mark.engine_independent
NAME = "lakeside-clinic.eu"


def a_check_finds_it_too_deep(planes: Planes) -> None:
    """What the worker would have stored after its look."""
    with planes.worker.app_context():
        domain = db.session.scalars(db.select(LLMClientCustomDomain)).one()
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        host = f"{llm_client.name.replace('_', '-')}.{NAME}"
        some_domains.one_level_too_deep(domain, host, utc_now())
        db.session.commit()


def test_from_the_form_to_a_finding_that_appears_by_itself(
    page: Page, planes: Planes, make_client: MakeClient, axe_source: str
) -> None:
    make_client("patient_desk")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.emulate_media(color_scheme="light")
    page.goto("/custom-domains/")
    page.get_by_role("link", name="Add a domain").click()
    page.get_by_label("Domain", exact=True).fill(f"https://www.{NAME.upper()}/")
    expect(page.get_by_text(f"Will be added as www.{NAME}.")).to_be_visible()
    page.get_by_label("Domain", exact=True).fill(NAME)
    page.get_by_role("button", name="Add the domain").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    page.get_by_role("link", name="Attach a client").click()
    page.get_by_label("patient_desk").check()
    page.get_by_role("button", name="Attach the client").click()
    expect(page.get_by_role("heading", name="Publish two records")).to_be_visible()

    copy = page.get_by_role("button", name="Copy the short name _llm-verify")
    copy.click()
    expect(page.get_by_role("button", name="Copied: Copy the short name")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "_llm-verify"

    page.get_by_text("Full name").first.click()
    a_check_finds_it_too_deep(planes)
    banner = page.locator("#banner > .notice")
    expect(banner).to_contain_text("The record is one level too deep")
    expect(banner.locator("mark")).to_have_text(f".{NAME}")
    expect(page.locator("[data-announce]")).to_contain_text("Waiting on customer")
    expect(page.locator(".records details").first).to_have_attribute("open", "")
    assert Axe(page, axe_source).violations() == []

    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("We are looking now.")).to_be_visible()


def test_whoever_has_the_link_sees_it_live_on_a_telephone_and_prints_it(
    page: Page,
    planes: Planes,
    make_client: MakeClient,
    open_browser: OpenBrowser,
    people: People,
    axe_source: str,
) -> None:
    make_client("patient_desk", app_name="Patient desk")
    with planes.worker.app_context():
        domain = some_domains.a_domain(people.alice.account_id, NAME, utc_now())
        some_domains.put_on(domain, db.session.scalars(db.select(LLMClient)).one())
        db.session.commit()
        number = domain.id
    page.goto(f"/custom-domains/{number}/")
    address = str(page.get_by_role("button", name="Copy link").get_attribute("data-copy"))

    stranger = open_browser(None, viewport=NARROW, color_scheme="light")
    theirs = stranger.new_page()
    theirs.goto(address)
    expect(theirs.locator(".setup-bar")).to_contain_text("Patient desk")
    a_check_finds_it_too_deep(planes)
    expect(theirs.locator("#banner > .notice")).to_contain_text("one level too deep")
    assert Axe(theirs, axe_source).violations() == []
    assert too_wide(theirs) == []
    theirs.get_by_role("button", name="Check now").click()
    expect(theirs.get_by_text("We are looking now.")).to_be_visible()
    assert stranger.cookies() == []
    theirs.emulate_media(media="print")
    expect(theirs.get_by_role("button", name="Check now")).to_be_hidden()
    expect(theirs.get_by_text("_llm-verify", exact=True).first).to_be_visible()

    page.goto(f"/custom-domains/{number}/setup-link/revoke")
    page.get_by_role("button", name="Revoke the set-up links").click()
    expect(theirs.get_by_role("heading", name="This link was revoked")).to_be_visible()


def test_all_of_it_works_without_script(
    open_browser: OpenBrowser, people: People, planes: Planes, make_client: MakeClient
) -> None:
    make_client("patient_desk")
    plain = open_browser(people.alice, java_script_enabled=False).new_page()
    plain.goto("/custom-domains/new")
    plain.get_by_label("Domain", exact=True).fill("co.uk")
    plain.get_by_role("button", name="Add the domain").click()
    expect(plain.get_by_role("alert")).to_contain_text("nobody can own it")
    plain.get_by_label("Domain", exact=True).fill(NAME)
    plain.get_by_role("button", name="Add the domain").click()
    plain.get_by_role("link", name="Attach a client").click()
    plain.get_by_label("patient_desk").check()
    plain.get_by_role("button", name="Attach the client").click()
    a_check_finds_it_too_deep(planes)
    plain.get_by_role("link", name="Refresh").click()
    expect(plain.locator("#banner > .notice")).to_contain_text("one level too deep")
    plain.get_by_role("button", name="Check now").click()
    expect(plain.get_by_text("We are looking now.")).to_be_visible()
