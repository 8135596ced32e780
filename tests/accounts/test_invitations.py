"""Invitations: for one address, once, for 72 hours; who accepts them and who cannot."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine

from portal.accounts.mails import Mail
from portal.accounts.models import AuditEvent, Role, User, UserProfile
from portal.database import db, utc_now
from portal.people.models import Invitation
from tests.people import Browser, Page, People
from tests.planes import Planes
from tests.post_office import PostOffice

PASSWORD = "seven quiet otters"
NEW = {"username": "nora", "password": PASSWORD, "again": PASSWORD}


def invite(admin: Browser, email: str = "nora@example.com", role: str = "member") -> str:
    """Invite somebody where no mail server is, and return the path of the link."""
    page = admin.post("/users/invite", {"email": email, "role": role}, 200)
    return urlsplit(page.find("pre.code").get_text()).path


def opened(browser: Browser, path: str) -> Page:
    """Follow a link to the page that it leads to."""
    answer = browser.raw("GET", path)
    assert answer.status_code == 303
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    return browser.get(answer.headers["Location"])


def is_gone(browser: Browser, path: str) -> bool:
    browser.raw("GET", path)
    return browser.raw("GET", "/invitation").status_code == 404


def test_somebody_new_chooses_a_name_and_is_in(planes: Planes, people: People) -> None:
    path = invite(people.browser(people.alice), " Nora@Example.com ")
    nora = people.browser()
    page = opened(nora, path)
    assert "alice invites nora@example.com as member" in page.words
    page = nora.follow(nora.post("/invitation", NEW))
    assert "Welcome to Birkenhof Media" in page.words
    nora.get("/llm-clients/new", 200)
    again = people.browser()
    again.post("/login", {"username": "nora", "password": PASSWORD})
    with planes.worker.app_context():
        user = db.session.scalars(db.select(User).filter_by(username="nora")).one()
        assert user.email == "nora@example.com"
        assert [profile.role for profile in user.profiles] == [Role.MEMBER]


def test_a_link_works_once(people: People) -> None:
    path = invite(people.browser(people.alice))
    nora, other = people.browser(), people.browser()
    opened(nora, path)
    opened(other, path)
    nora.post("/invitation", NEW)
    other.post("/invitation", {**NEW, "username": "otto"}, 404)
    assert is_gone(people.browser(), path)


def test_a_link_ends_after_72_hours_and_a_new_one_replaces_it(people: People) -> None:
    alice = people.browser(people.alice)
    path, start = invite(alice), utc_now()
    with time_machine.travel(start + timedelta(hours=71), tick=False):
        assert not is_gone(people.browser(), path)
    with time_machine.travel(start + timedelta(hours=73), tick=False):
        assert is_gone(people.browser(), path)
        alice = people.browser(people.alice)
        page = alice.get("/users/")
        assert "Expired" in page.words
        again = alice.post(str(page.find("form[action$=resend]")["action"]), expected=200)
        newer = urlsplit(again.find("pre.code").get_text()).path
        assert is_gone(people.browser(), path)
        assert not is_gone(people.browser(), newer)


def test_inviting_the_same_address_again_ends_the_first_link(people: People) -> None:
    alice = people.browser(people.alice)
    first, second = invite(alice), invite(alice)
    assert is_gone(people.browser(), first)
    assert not is_gone(people.browser(), second)


def test_an_invitation_is_taken_back(people: People) -> None:
    alice = people.browser(people.alice)
    path = invite(alice)
    page = alice.get("/users/")
    page = alice.follow(alice.post(str(page.find("form[action$=revoke]")["action"])))
    assert "does not work any more" in page.words
    assert "nora@example.com" not in page.find("main").select("section")[-1].get_text()
    assert is_gone(people.browser(), path)


def test_somebody_with_the_address_joins_with_a_click(planes: Planes, people: People) -> None:
    path = invite(people.browser(people.alice), "charlie@example.com", "viewer")
    give_address(planes, people.charlie.user_id, "charlie@example.com")
    charlie = people.browser(people.charlie)
    assert "Join as charlie" in opened(charlie, path).words
    page = charlie.follow(charlie.post("/invitation"))
    assert "Birkenhof Media" in page.find(".account").get_text()
    assert len(page.find("details.account").select("form")) == 2


def test_signing_in_first_leads_back_to_the_invitation(planes: Planes, people: People) -> None:
    path = invite(people.browser(people.alice), "charlie@example.com", "viewer")
    give_address(planes, people.charlie.user_id, "charlie@example.com")
    charlie = people.browser()
    link = opened(charlie, path).find("a[href^='/login']")
    login = charlie.get(str(link["href"]))
    values = {"username": "charlie", "password": "correct horse battery staple"}
    page = charlie.post("/login", {**login.values(), **values})
    assert page.location == "/invitation"
    assert "Join as charlie" in charlie.follow(page).words


def test_another_address_does_not_join(people: People) -> None:
    path = invite(people.browser(people.alice))
    charlie = people.browser(people.charlie)
    assert "for nora@example.com only" in opened(charlie, path).words
    charlie.post("/invitation", expected=422)
    assert (
        len(people.browser(people.alice).get("/users/").html.select("tbody")[0].select("tr")) == 3
    )


def test_who_was_removed_comes_back_by_an_invitation_only(planes: Planes, people: People) -> None:
    alice = people.browser(people.alice)
    give_address(planes, people.bob.user_id, "bob@example.com")
    bob = people.browser(people.bob)
    alice.post(f"/users/{people.bob.profile_id}/remove")
    bob.get("/", 403)
    page = opened(bob, invite(alice, "bob@example.com", "viewer"))
    bob.post("/invitation", {"csrf_token": page.token})
    bob.get("/", 200)
    with planes.worker.app_context():
        assert db.session.get_one(UserProfile, people.bob.profile_id).role == Role.VIEWER


def give_address(planes: Planes, user_id: int, email: str) -> None:
    with planes.worker.app_context():
        db.session.get_one(User, user_id).email = email
        db.session.commit()


def test_who_is_here_already_is_not_invited(planes: Planes, people: People) -> None:
    give_address(planes, people.bob.user_id, "bob@example.com")
    values = {"email": "BOB@example.com", "role": "admin"}
    page = people.browser(people.alice).post("/users/invite", values, 422)
    assert "in the account already" in page.words
    assert page.find("input[name=email]")["value"] == "bob@example.com"


@pytest.mark.parametrize(
    "email", ["", "nora", "a@b", "a@b.c\nBcc: x@y.z", "x" * 250 + "@a.de", "a\0@b.de"]
)
def test_what_is_no_address_is_said(email: str, people: People) -> None:
    page = people.browser(people.alice).post(
        "/users/invite", {"email": email, "role": "member"}, 422
    )
    assert page.html.select("#email-error")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "alice"}, "username"),
        ({"username": "1nora"}, "username"),
        ({"username": ""}, "username"),
        ({"username": "no\0ra"}, "username"),
        ({"password": "short", "again": "short"}, "password"),
        ({"password": "password123", "again": "password123"}, "password"),
        ({"password": "aaaaaaaaaaaaa", "again": "aaaaaaaaaaaaa"}, "password"),
        ({"password": "nora12345678", "again": "nora12345678"}, "password"),
        ({"again": "something else"}, "again"),
    ],
)
def test_a_name_or_password_that_will_not_do_is_said(
    changes: dict[str, str], field: str, people: People
) -> None:
    nora = people.browser()
    opened(nora, invite(people.browser(people.alice)))
    page = nora.post("/invitation", {**NEW, **changes}, 422)
    assert page.html.select(f"#{field}-error")
    nora.post("/invitation", NEW)


def test_a_link_that_was_made_up_is_gone(people: People) -> None:
    nobody = people.browser()
    assert is_gone(nobody, "/invitation/" + "x" * 43)
    nobody.get("/invitation/short", 404)
    nobody.post("/invitation", NEW, 404)


def test_the_mail_has_the_link_and_the_outbox_has_not(
    planes: Planes, people: People, post_office: PostOffice
) -> None:
    alice = people.browser(people.alice)
    alice.post("/users/invite", {"email": "nora@example.com", "role": "member"})
    with planes.worker.app_context():
        mail = db.session.scalars(db.select(Mail)).one()
        stored = f"{mail.text} {mail.sealed_text} {mail.message}"
        token_hash = db.session.scalars(db.select(Invitation.token_hash)).one()
    [letter] = post_office.deliver()
    assert letter.to == "nora@example.com"
    link = letter.link
    assert link.startswith(f"{planes.settings.platform_url}/invitation/")
    token = link.rpartition("/")[2]
    page = alice.get("/notifications/mails")
    assert "the link is only in the mail itself" in page.text
    for place in (stored, page.text, alice.get("/users/").text, token_hash):
        assert token not in place
    with planes.worker.app_context():
        assert db.session.scalars(db.select(Mail.sealed_text)).one() == "", "gone once it has left"
    nora = people.browser()
    opened(nora, urlsplit(link).path)
    nora.post("/invitation", NEW)


def test_fifty_mails_a_day_are_enough(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        db.session.add_all(
            Mail(account_id=people.alice.account_id, subject="x", text="x") for _ in range(50)
        )
        db.session.commit()
    values = {"email": "nora@example.com", "role": "member"}
    page = people.browser(people.alice).post("/users/invite", values, 422)
    assert "50 mails a day" in page.words


def test_invitations_are_in_the_audit_log(planes: Planes, people: People) -> None:
    alice, nora = people.browser(people.alice), people.browser()
    path = invite(alice)
    opened(nora, path)
    nora.post("/invitation", NEW)
    with planes.worker.app_context():
        events = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [event.action for event in events] == [
            "person_invited",
            "invitation_accepted",
            "signed_in",
        ]
        assert {event.account_id for event in events[:2]} == {people.alice.account_id}
        assert path.rpartition("/")[2] not in str([vars(event) for event in events])
