"""A forgotten password, a changed one, and what ends with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine

from portal.accounts.mails import Mail
from portal.accounts.models import AuditEvent, User
from portal.accounts.signing_in import MOST_FAILURES
from portal.database import db, utc_now
from portal.people.models import OneTimeLink, PasswordWish
from tests.people import PASSWORD, Browser, Page, People
from tests.planes import Planes
from tests.post_office import PostOffice

OTHER = "eleven patient lanterns"
NEW = {"password": OTHER, "again": OTHER}


@pytest.fixture
def office(planes: Planes, people: People, post_office: PostOffice) -> PostOffice:
    """Alice and Bob have mail addresses."""
    with planes.worker.app_context():
        for person in (people.alice, people.bob):
            user = db.session.get_one(User, person.user_id)
            user.email = f"{person.username}@example.com"
        db.session.commit()
    return post_office


RunJobs = Callable[..., int]


def asked(browser: Browser, who: str, expected: int = 200) -> Page:
    return browser.post("/forgot-password", {"who": who}, expected)


def link_for(office: PostOffice, people: People, run_jobs: RunJobs, who: str = "alice") -> str:
    """Ask, let the worker work, and take the path of the link out of the mail."""
    asked(people.browser(), who)
    run_jobs()
    letter = office.taken[-1]
    assert letter.to == "alice@example.com"
    return urlsplit(letter.link).path


def opened(path: str, people: People) -> Browser:
    """A browser that followed a link and shows a page without the secret in its address."""
    browser = people.browser()
    answer = browser.raw("GET", path)
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Location"] == "/reset-password"
    return browser


def is_dead(path: str, people: People) -> bool:
    return opened(path, people).raw("GET", "/reset-password").status_code == 404


@pytest.mark.parametrize("who", ["alice", " ALICE@example.com "])
def test_a_forgotten_password_is_replaced_by_a_link(
    who: str, office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    there = people.browser(people.alice)
    browser = opened(link_for(office, people, run_jobs, who), people)
    assert "For alice" in browser.get("/reset-password").words
    assert browser.post("/reset-password", NEW).location == "/login"
    there.get("/", 303)
    browser.post("/login", {"username": "alice", "password": PASSWORD}, 401)
    browser.post("/login", {"username": "alice", "password": OTHER})
    told = office.deliver()
    assert "Your password was changed" in [letter.subject for letter in told]
    assert OTHER not in "".join(letter.text for letter in told)


def test_the_answer_is_the_same_for_nobody(
    planes: Planes, office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    browser = people.browser()
    pages = [asked(browser, who).words for who in ("alice", "nobody", "x@example.com", "charlie")]
    assert len(set(pages)) == 1
    with planes.worker.app_context():
        assert db.session.query(PasswordWish).count() == 4
    run_jobs()
    assert [letter.to for letter in office.taken] == ["alice@example.com"]
    with planes.worker.app_context():
        assert db.session.query(PasswordWish).count() == 0


def test_a_link_works_once(office: PostOffice, people: People, run_jobs: RunJobs) -> None:
    path = link_for(office, people, run_jobs)
    first, second = opened(path, people), opened(path, people)
    first.post("/reset-password", NEW)
    second.post("/reset-password", {"password": PASSWORD, "again": PASSWORD}, 404)
    assert is_dead(path, people)


def test_a_link_ends_after_half_an_hour(
    office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    path, start = link_for(office, people, run_jobs), utc_now()
    with time_machine.travel(start + timedelta(minutes=29), tick=False):
        assert not is_dead(path, people)
    with time_machine.travel(start + timedelta(minutes=31), tick=False):
        assert is_dead(path, people)


def test_a_later_link_ends_the_earlier_one(
    office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    first, second = (link_for(office, people, run_jobs) for _ in range(2))
    assert is_dead(first, people)
    assert not is_dead(second, people)


def test_a_changed_password_ends_the_link(
    office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    path = link_for(office, people, run_jobs)
    people.browser(people.alice).post("/account/password", {"current": PASSWORD, **NEW})
    assert is_dead(path, people)


def test_the_host_of_a_request_is_in_no_link(
    planes: Planes, office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    browser = people.browser()
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    data = {"csrf_token": browser.token(), "who": "alice"}
    for base in ({}, {"Host": "evil.example"}):
        browser.raw("POST", "/forgot-password", data=data, headers={**headers, **base})
    run_jobs()
    assert office.taken
    for letter in office.taken:
        assert letter.link.startswith(planes.settings.platform_url + "/")
        assert "evil" not in letter.text


def test_only_the_hash_of_a_link_is_stored_and_no_page_shows_it(
    planes: Planes, office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    token = link_for(office, people, run_jobs).rpartition("/")[2]
    page = people.browser(people.alice).get("/notifications/mails")
    assert "A new password for the portal" in page.words
    assert token not in page.text
    with planes.worker.app_context():
        for model in (OneTimeLink, Mail, AuditEvent):
            rows = [vars(row) for row in db.session.scalars(db.select(model))]
            assert token not in str(rows)


def test_asking_often_gets_the_same_words_and_no_more_mails(
    office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    browser = people.browser()
    pages = {asked(browser, "alice").words for _ in range(7)}
    assert len(pages) == 1
    run_jobs()
    assert len(office.taken) == 5
    for number in range(13):
        asked(browser, f"nobody-{number}")
    assert "Too many wishes" in asked(browser, "bob", 429).words


def test_without_a_mail_server_the_page_says_who_helps(people: People) -> None:
    browser = people.browser()
    assert "no mail server" in browser.get("/forgot-password").words
    browser.post("/forgot-password", {"who": "alice"}, 200)


def test_a_reset_opens_the_door_that_failures_had_shut(
    office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    browser = people.browser()
    for _ in range(MOST_FAILURES):
        browser.post("/login", {"username": "alice", "password": "wrong"}, 401)
    browser.post("/login", {"username": "alice", "password": PASSWORD}, 429)
    opened(link_for(office, people, run_jobs), people).post("/reset-password", NEW)
    browser.post("/login", {"username": "alice", "password": OTHER})


def test_a_password_that_will_not_do_leaves_the_link_alive(
    office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    browser = opened(link_for(office, people, run_jobs), people)
    for wrong in ({**NEW, "again": "x"}, {"password": "alice12345", "again": "alice12345"}, {}):
        browser.post("/reset-password", wrong, 422)
    browser.post("/reset-password", NEW)


def test_changing_the_password_wants_the_old_one_and_ends_other_sessions(
    planes: Planes, people: People
) -> None:
    here, there = people.browser(people.alice), people.browser(people.alice)
    page = here.post("/account/password", {"current": "wrong", **NEW}, 422)
    assert "not your present password" in page.words
    cookie = here._client.get_cookie("portal_session", domain="localhost").value
    page = here.follow(here.post("/account/password", {"current": PASSWORD, **NEW}))
    assert "Your password is changed" in page.words
    there.get("/", 303)
    here._client.set_cookie("portal_session", cookie, domain="localhost")
    here.get("/", 303)
    with planes.worker.app_context():
        actions = list(db.session.scalars(db.select(AuditEvent.action)))
        assert actions == ["password_changed"]


def test_guessing_the_old_password_at_an_open_browser_has_an_end(people: People) -> None:
    alice = people.browser(people.alice)
    for _ in range(MOST_FAILURES):
        alice.post("/account/password", {"current": "wrong", **NEW}, 422)
    page = alice.post("/account/password", {"current": PASSWORD, **NEW}, 422)
    assert "Too many failed attempts" in page.words


def test_another_mail_address_holds_when_its_link_was_followed(
    planes: Planes, office: PostOffice, people: People
) -> None:
    alice = people.browser(people.alice)
    alice.post("/account/mail", {"email": "New@Example.com", "current": PASSWORD})
    [letter] = office.deliver()
    assert letter.to == "new@example.com"
    assert address_of_alice(planes, people) == "alice@example.com"
    reader = people.browser()
    reader.raw("GET", urlsplit(letter.link).path)
    assert address_of_alice(planes, people) == "alice@example.com", "following changes nothing"
    assert "new@example.com" in reader.get("/confirm-mail").words
    reader.post("/confirm-mail")
    assert address_of_alice(planes, people) == "new@example.com"
    [notice] = office.deliver()
    assert notice.to == "alice@example.com"
    assert "new@example.com" not in notice.text
    reader.raw("GET", urlsplit(letter.link).path)
    reader.get("/confirm-mail", 404)


def address_of_alice(planes: Planes, people: People) -> str:
    with planes.worker.app_context():
        return db.session.get_one(User, people.alice.user_id).email


def test_a_mail_address_is_not_changed_without_the_password(
    office: PostOffice, people: People
) -> None:
    alice = people.browser(people.alice)
    alice.post("/account/mail", {"email": "new@example.com", "current": "wrong"}, 422)
    alice.post("/account/mail", {"email": "nonsense", "current": PASSWORD}, 422)
    assert office.deliver() == []


def test_the_first_of_two_addresses_does_not_hold(office: PostOffice, people: People) -> None:
    alice = people.browser(people.alice)
    for email in ("one@example.com", "two@example.com"):
        alice.post("/account/mail", {"email": email, "current": PASSWORD})
    first, second = office.deliver()
    alice.raw("GET", urlsplit(first.link).path)
    alice.get("/confirm-mail", 404)
    alice.raw("GET", urlsplit(second.link).path)
    alice.post("/confirm-mail")


def test_a_link_for_one_thing_does_no_other(
    office: PostOffice, people: People, run_jobs: RunJobs
) -> None:
    token = link_for(office, people, run_jobs).rpartition("/")[2]
    browser = people.browser()
    browser.raw("GET", f"/confirm-mail/{token}")
    browser.get("/confirm-mail", 404)
