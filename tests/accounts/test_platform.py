"""Who runs the platform: sees all accounts, makes new ones, looks in as a guest who is seen."""

from __future__ import annotations

import pytest

from portal.accounts.models import Account, AuditEvent, User, UserProfile
from portal.database import db
from tests.people import Browser, MakeClient, People
from tests.planes import Planes


@pytest.fixture
def operator(planes: Planes, people: People) -> Browser:
    """Charlie, who runs the platform too."""
    with planes.worker.app_context():
        db.session.get_one(User, people.charlie.user_id).is_superuser = True
        db.session.commit()
    return people.browser(people.charlie)


def test_only_a_superuser_sees_the_accounts_of_others(people: People, operator: Browser) -> None:
    page = operator.get("/accounts/")
    assert "Birkenhof Media" in page.words
    assert "Elsewhere" in page.words
    alice = people.browser(people.alice)
    alice.get("/accounts/", 403)
    alice.get("/accounts/new", 403)
    alice.post("/accounts/new", {"company_name": "x"}, 403)
    alice.post(f"/accounts/{people.charlie.account_id}/enter", expected=403)
    assert "/accounts/" not in alice.get("/").find("nav.side-nav").decode()


def test_entering_needs_no_place_there_and_is_seen(
    planes: Planes, people: People, operator: Browser, make_client: MakeClient
) -> None:
    client = make_client("theirs")
    operator.get(f"/llm-clients/{client}/", 404)
    operator.post(f"/accounts/{people.alice.account_id}/enter")
    operator.get(f"/llm-clients/{client}/edit", 200)
    page = people.browser(people.alice).get("/users/")
    assert "Guest of the platform" in page.words
    with planes.worker.app_context():
        [event] = db.session.scalars(db.select(AuditEvent).filter_by(action="entered_account"))
        assert event.account_id == people.alice.account_id
        assert event.user_id == people.charlie.user_id


def test_entering_changes_the_cookie(people: People, operator: Browser) -> None:
    before = operator._client.get_cookie("portal_session", domain="localhost").value
    operator.post(f"/accounts/{people.alice.account_id}/enter")
    operator._client.set_cookie("portal_session", before, domain="localhost")
    operator.get("/", 303)


def test_a_guest_leaves_and_is_out(
    people: People, operator: Browser, make_client: MakeClient
) -> None:
    client = make_client("theirs")
    operator.post(f"/accounts/{people.alice.account_id}/enter")
    page = operator.follow(operator.post("/account/leave"))
    assert "You have left Birkenhof Media" in page.words
    operator.get(f"/llm-clients/{client}/", 404)
    people.browser(people.bob).post("/account/leave", expected=404)


def test_an_admin_of_the_account_shows_a_guest_out(
    planes: Planes, people: People, operator: Browser
) -> None:
    operator.post(f"/accounts/{people.alice.account_id}/enter")
    with planes.worker.app_context():
        query = db.select(UserProfile.id).where(
            UserProfile.user_id == people.charlie.user_id, UserProfile.is_guest
        )
        number = db.session.scalars(query).one()
    people.browser(people.alice).post(f"/users/{number}/remove")
    assert "Elsewhere" in operator.get("/").find(".account").get_text()


def test_a_new_account_is_entered_at_once(planes: Planes, operator: Browser) -> None:
    values = {"company_name": "Neue Werke", "timezone": "Europe/Berlin"}
    page = operator.follow(operator.post("/accounts/new", values))
    assert "Neue Werke is there" in page.words
    assert "Neue Werke" in page.find(".account").get_text()
    with planes.worker.app_context():
        account = db.session.scalars(db.select(Account).filter_by(company_name="Neue Werke")).one()
        assert account.admin_profile_id is None, "a guest names nobody’s hosts"
    operator.get("/llm-clients/new", 200)


@pytest.mark.parametrize(
    ("name", "zone"), [("", "UTC"), ("   ", "UTC"), ("x" * 256, "UTC"), ("x", "Mars"), ("x\0", "")]
)
def test_a_new_account_needs_a_name_and_a_zone(name: str, zone: str, operator: Browser) -> None:
    page = operator.post("/accounts/new", {"company_name": name, "timezone": zone}, 422)
    assert page.html.select(".invalid-feedback")


def test_an_account_that_is_not_there_is_not_entered(operator: Browser) -> None:
    operator.post("/accounts/999999/enter", expected=404)


def test_the_account_that_was_looked_at_last_opens_after_the_next_sign_in(
    people: People, operator: Browser
) -> None:
    operator.post(f"/accounts/{people.alice.account_id}/enter")
    operator.post("/logout")
    again = people.browser(people.charlie)
    assert "Birkenhof Media" in again.get("/").find(".account").get_text()
