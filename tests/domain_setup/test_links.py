"""The set-up link: open to who has it, for one domain, until a day, and only the newest one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from portal.accounts.mails import Mail
from portal.accounts.models import Account, AuditEvent
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db, utc_now
from portal.domain_setup import links
from portal.llm_clients import images
from portal.llm_clients.image_making import LOGO, MadeImage
from portal.llm_clients.models import LLMClient
from tests.domain_setup import some_domains
from tests.domain_setup.conftest import MakeDomain, client_of
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes

LinkTo = Callable[..., str]
DomainOf = Callable[[int], LLMClientCustomDomain | None]


@pytest.fixture
def nobody(people: People) -> Browser:
    return people.browser()


@pytest.fixture
def number(make_client: MakeClient, make_domain: MakeDomain) -> int:
    hashed_id = make_client("patient_desk", app_name="Patient desk")

    def describe(domain: LLMClientCustomDomain) -> None:
        host = some_domains.put_on(domain, client_of(hashed_id))
        some_domains.one_level_too_deep(domain, host, utc_now())

    return make_domain("lakeside-clinic.example", describe)


def open_link(browser: Browser, path: str, expected: int = 200) -> Page:
    page = Page(browser.raw("GET", path))
    assert page.status == expected, page.words
    return page


def test_the_link_shows_the_live_page_without_account_or_cookie(
    nobody: Browser, number: int, link_to: LinkTo
) -> None:
    page = open_link(nobody, link_to(number))
    assert page.find("h1").text == "DNS records for lakeside-clinic.example"
    assert page.find(".setup-bar b").text == "Patient desk"
    assert "The record is one level too deep" in page.words
    assert "Who acts: you, or whoever manages the DNS of lakeside-clinic.example" in page.words
    assert [one.get_text()[:2] for one in page.html.select(".checks h3")] == [
        "1.",
        "2.",
        "3.",
        "4.",
        "5.",
    ]
    assert not page.html.select("nav")
    assert not page.html.select("[style], style, script:not([src])")
    ids = [str(element["id"]) for element in page.html.select("[id]")]
    assert len(ids) == len(set(ids))
    headers = page.response.headers
    assert "Set-Cookie" not in headers
    assert headers["X-Robots-Tag"].startswith("noindex")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert page.find("meta[name=robots]")["content"] == "noindex, nofollow"
    assert page.find("a[href^=mailto]")["href"].count("_llm-verify.lakeside-clinic.example")


def test_the_links_fragment_and_zone_file_come_from_the_same_link(
    nobody: Browser, number: int, link_to: LinkTo
) -> None:
    path = link_to(number)
    fragment = open_link(nobody, path + "status")
    assert fragment.find("#status")["data-poll-url"] == path + "status"
    answer = nobody.raw("GET", path + "zone-file")
    assert answer.mimetype == "text/plain"
    assert "IN TXT" in answer.get_data(as_text=True)
    assert nobody.raw("GET", path + "logo").status_code == 404


def test_its_reader_may_ask_for_a_check_every_ten_seconds(
    nobody: Browser, number: int, link_to: LinkTo, domain_of: DomainOf, planes: Planes
) -> None:
    path = link_to(number)
    sent = nobody.raw("POST", path + "check")
    assert (sent.status_code, sent.headers["Location"]) == (303, path)
    assert domain_of(number).next_attempt_at <= utc_now()
    assert "We are looking now" in open_link(nobody, path).words
    again = nobody.raw("POST", path + "check").headers["Location"]
    assert "It was checked a moment ago" in open_link(nobody, again).words
    with planes.worker.app_context():
        told = db.session.scalars(db.select(AuditEvent)).one()
    assert (told.action, told.by, told.user_id) == ("custom_domain_checked", "link", None)


def test_a_link_ends_on_its_day(nobody: Browser, number: int, link_to: LinkTo) -> None:
    old = link_to(number, now=utc_now() - timedelta(days=15))
    page = open_link(nobody, old, 410)
    assert "This link has expired" in page.words
    assert "lakeside" not in page.words
    assert nobody.raw("POST", old + "check").status_code == 410
    assert nobody.raw("GET", old + "zone-file").status_code == 410


def test_the_page_gives_out_one_link_all_day(alice: Browser, number: int) -> None:
    found = {
        str(alice.get(f"/custom-domains/{number}/").find(".copy-wide")["data-copy"])
        for _ in range(2)
    }
    assert len(found) == 1
    now = utc_now()
    assert timedelta(days=13) <= links.expiry(now) - now <= timedelta(days=14)


def test_a_revoked_link_says_so_and_the_next_one_works(
    alice: Browser, nobody: Browser, number: int, link_to: LinkTo
) -> None:
    old = link_to(number)
    path = f"/custom-domains/{number}/setup-link/revoke"
    assert "stops working at once" in alice.get(path).words
    alice.post(path)
    assert "This link was revoked" in open_link(nobody, old, 410).words
    open_link(nobody, link_to(number))


def test_what_we_did_not_sign_is_not_found(nobody: Browser, number: int, link_to: LinkTo) -> None:
    path = link_to(number)
    for wrong in (path[:-4] + "abc/", "/domain-setup/" + "a" * 60 + "/", path.replace(".", "A", 1)):
        page = open_link(nobody, wrong, 404)
        assert "This link is not one of ours" in page.words
    assert nobody.raw("GET", "/domain-setup/x/").status_code == 404


def test_a_link_is_for_the_domain_that_it_was_made_for(
    nobody: Browser, number: int, link_to: LinkTo, planes: Planes
) -> None:
    """Numbers of rows may come again; the name is signed, too."""
    path = link_to(number)
    with planes.worker.app_context():
        domain = db.session.get(LLMClientCustomDomain, number)
        domain.domain_name = "another.example"
        db.session.commit()
    page = open_link(nobody, path, 410)
    assert "This domain was removed" in page.words
    assert "another.example" not in page.words


def test_a_link_of_a_closed_account_is_not_found(
    nobody: Browser, number: int, link_to: LinkTo, planes: Planes, people: People
) -> None:
    path = link_to(number)
    with planes.worker.app_context():
        db.session.get(Account, people.alice.account_id).is_active = False
        db.session.commit()
    open_link(nobody, path, 404)


def test_without_a_client_the_page_is_the_companys(
    nobody: Browser, make_domain: MakeDomain, link_to: LinkTo
) -> None:
    page = open_link(nobody, link_to(make_domain("fresh.example")))
    assert page.find(".setup-bar b").text == "Birkenhof Media"


def test_the_link_is_mailed_and_the_mail_says_everything(
    people: People, number: int, planes: Planes
) -> None:
    bob, path = people.browser(people.bob), f"/custom-domains/{number}/setup-link/mail"
    assert "_llm-verify.lakeside-clinic.example" in bob.get(path).find("pre").text
    refused = bob.post(path, {"to_address": "dns at example"}, expected=422)
    assert "This is not a mail address." in refused.words
    assert refused.find("#to_address")["value"] == "dns at example"
    page = bob.follow(bob.post(path, {"to_address": "dns@lakeside-clinic.example"}))
    assert "is in the outbox, under Notifications." in page.words
    with planes.worker.app_context():
        letter = db.session.scalars(db.select(Mail)).one()
    assert letter.subject == "DNS records for lakeside-clinic.example"
    assert letter.text.startswith("Birkenhof Media asks for this.")
    assert "Value: llm-verify=7f2c91d0a4be4c53" in letter.text
    assert f"{planes.settings.platform_url}/domain-setup/" in letter.text
    listed = bob.get("/notifications/mails").words
    assert "dns@lakeside-clinic.example" in listed
    assert "somebody who left" not in listed


def test_mails_to_strangers_have_an_end(
    alice: Browser, number: int, planes: Planes, people: People
) -> None:
    with planes.worker.app_context():
        db.session.add_all(
            Mail(account_id=people.alice.account_id, subject="x", text="x") for _ in range(50)
        )
        db.session.commit()
    path = f"/custom-domains/{number}/setup-link/mail"
    refused = alice.post(path, {"to_address": "dns@lakeside.example"}, expected=422)
    assert "50 mails a day are enough." in refused.words


def test_a_line_break_is_no_part_of_an_address(alice: Browser, number: int) -> None:
    path = f"/custom-domains/{number}/setup-link/mail"
    alice.post(path, {"to_address": "a@b.example\nBcc: c@d.example"}, expected=422)
    alice.post(path, {"to_address": "a@b.example, c@d.example"}, expected=422)


def test_the_uploaded_logo_of_the_client_is_on_the_page_and_no_other_image(
    nobody: Browser, number: int, link_to: LinkTo, planes: Planes
) -> None:
    with planes.worker.app_context():
        llm_client = db.session.scalars(db.select(LLMClient)).one()
        made = MadeImage(LOGO, "image/png", b"a logo", 1, 1)
        llm_client.app_logo_upload = images.keep(llm_client.account_id, made)
        db.session.commit()
    path = link_to(number)
    page = open_link(nobody, path)
    assert [image["src"] for image in page.html.select("img")] == [path + "logo"]
    answer = nobody.raw("GET", path + "logo")
    assert (answer.mimetype, answer.data) == ("image/png", b"a logo")
