"""Signing in: who gets in, what a stranger learns, and when the door stays shut."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from portal.accounts.models import AuditEvent, SignInAttempt, User
from portal.accounts.signing_in import MOST_FAILURES, WRONG
from portal.database import db, utc_now
from tests.people import PASSWORD, Browser, Page, People
from tests.planes import Planes


def sign_in(
    browser: Browser, username: str, password: str = PASSWORD, expected: int = 303, **more: str
) -> Page:
    values = {"username": username, "password": password, **more}
    return browser.post("/login", values, expected)


def test_name_and_password_open_the_overview(people: People) -> None:
    browser = people.browser()
    page = browser.follow(sign_in(browser, "alice"))
    assert page.find("h1").get_text() == "Overview"
    assert "Birkenhof Media" in page.words


def test_capitals_and_spaces_around_the_name_do_not_matter(people: People) -> None:
    browser = people.browser()
    sign_in(browser, " Alice ")
    browser.get("/", 200)


@pytest.mark.parametrize(
    ("username", "password"), [("alice", "wrong"), ("nobody", "wrong"), ("nobody", PASSWORD)]
)
def test_what_was_wrong_is_never_told(username: str, password: str, people: People) -> None:
    page = sign_in(people.browser(), username, password, expected=401)
    assert page.find("[role=alert]").get_text().strip() == WRONG.message
    assert page.find("title").get_text().startswith("Error:")
    assert page.html.select_one("input[name=password]").get("value", "") == ""


def test_an_empty_form_gets_the_same_words(people: People) -> None:
    page = sign_in(people.browser(), "", "", expected=422)
    assert WRONG.message in page.words


def test_a_disabled_user_gets_the_same_words(planes: Planes, people: People) -> None:
    disable(planes, people.bob.user_id)
    assert WRONG.message in sign_in(people.browser(), "bob", expected=401).words


def test_a_disabled_user_is_out_on_the_next_request(planes: Planes, people: People) -> None:
    bob = people.browser(people.bob)
    bob.get("/", 200)
    disable(planes, people.bob.user_id)
    assert bob.get("/", 303).location.startswith("/login")


def disable(planes: Planes, user_id: int) -> None:
    with planes.worker.app_context():
        db.session.get_one(User, user_id).is_enabled = False
        db.session.commit()


@pytest.mark.parametrize("username", ["alice", "nobody"])
def test_the_eleventh_try_is_locked_even_with_the_right_password(
    username: str, people: People
) -> None:
    browser = people.browser()
    for _ in range(MOST_FAILURES):
        sign_in(browser, username, "wrong", expected=401)
    page = sign_in(browser, username, expected=429)
    assert "Try again in 15 min." in page.words
    assert page.response.headers["Retry-After"]


def test_the_lock_opens_by_itself(people: People) -> None:
    browser = people.browser()
    for _ in range(MOST_FAILURES):
        sign_in(browser, "alice", "wrong", expected=401)
    with time_machine.travel(utc_now() + timedelta(minutes=16), tick=False):
        sign_in(browser, "alice")


def test_a_right_password_forgets_the_failures_before(people: People) -> None:
    browser = people.browser()
    for _ in range(2):
        for _ in range(MOST_FAILURES - 1):
            sign_in(browser, "alice", "wrong", expected=401)
        sign_in(browser, "alice")
        browser.post("/logout")


def test_one_name_that_is_locked_does_not_lock_another(people: People) -> None:
    browser = people.browser()
    for _ in range(MOST_FAILURES):
        sign_in(browser, "alice", "wrong", expected=401)
    sign_in(browser, "bob")


def test_one_address_cannot_try_many_names(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        others = [SignInAttempt(bucket="address:127.0.0.1") for _ in range(3 * MOST_FAILURES - 1)]
        db.session.add_all(others)
        db.session.commit()
    browser = people.browser()
    sign_in(browser, "nobody", "wrong", expected=401)
    sign_in(browser, "bob", expected=429)


def test_signing_in_makes_another_session(people: People) -> None:
    browser = people.browser()
    before = browser.token()
    sign_in(browser, "alice")
    first = session_cookie(browser)
    assert browser.token() != before, "the token of before signing in is of no use after it"
    sign_in(browser, "alice")
    assert session_cookie(browser) != first
    assert len(browser.get("/account/sessions").html.select("tbody tr")) == 1, "the first is over"


def session_cookie(browser: Browser) -> str:
    answer = browser.raw("POST", "/theme", data={"csrf_token": browser.token(), "theme": "dark"})
    assert answer.status_code == 303
    return str(browser._client.get_cookie("portal_session", domain="localhost").value)


def test_the_cookie_is_not_for_scripts_nor_for_other_sites(people: People) -> None:
    browser = people.browser()
    header = sign_in(browser, "alice").response.headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Domain" not in header


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/llm-clients/?q=a%20b", "/llm-clients/?q=a%20b"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("\n//evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_next_leads_to_this_site_only(target: str, expected: str, people: People) -> None:
    page = sign_in(people.browser(), "alice", next=target)
    assert page.location.replace("+", "%20") == expected
    with_query = people.browser(people.alice).get("/login", 303, query_string={"next": target})
    assert with_query.location.replace("+", "%20") == expected


def test_a_page_that_wanted_a_sign_in_opens_after_it(people: People) -> None:
    browser = people.browser()
    login = browser.get(browser.get("/requests/?status=failed", 303).location)
    page = browser.post("/login", {**login.values(), "username": "alice", "password": PASSWORD})
    assert page.location == "/requests/?status=failed"


def test_every_sign_in_and_refusal_is_in_the_audit_log(planes: Planes, people: People) -> None:
    browser = people.browser()
    sign_in(browser, "alice", "a wrong one", expected=401)
    sign_in(browser, "alice")
    browser.post("/logout")
    with planes.worker.app_context():
        events = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [event.action for event in events] == ["sign_in_refused", "signed_in", "signed_out"]
        assert {event.object_name for event in events} == {"alice"}
        assert {event.address for event in events} == {"127.0.0.1"}
        assert "a wrong one" not in str([vars(event) for event in events])
