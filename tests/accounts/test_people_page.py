"""The people of an account: roles, taking somebody out, and the admin who must stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from portal.accounts.models import AuditEvent, Role, User, UserProfile
from portal.database import db
from tests.people import Browser, MakeClient, Page, People, Person
from tests.planes import Planes


def path_of(person: Person) -> str:
    return f"/users/{person.profile_id}/"


def role_of(planes: Planes, person: Person) -> Role:
    with planes.worker.app_context():
        return db.session.get_one(UserProfile, person.profile_id).role


def test_an_admin_sees_everybody_and_nobody_else(people: People) -> None:
    page = people.browser(people.alice).get("/users/")
    names = [row.select_one("th .inline").get_text(" ") for row in page.html.select("tbody tr")]
    assert names == ["alice You", "bob", "vera"]
    assert "charlie" not in page.text


@pytest.mark.parametrize("who", ["bob", "vera"])
def test_the_page_is_for_admins(who: str, people: People) -> None:
    browser = people.browser(getattr(people, who))
    browser.get("/users/", 403)
    browser.post(path_of(people.vera), {"role": "admin"}, 403)
    assert "/users/" not in browser.get("/").find("nav.side-nav").decode()


def test_another_role_holds_at_once_and_wants_a_new_sign_in(planes: Planes, people: People) -> None:
    alice, bob = people.browser(people.alice), people.browser(people.bob)
    bob.get("/", 200)
    page = alice.follow(alice.post(path_of(people.bob), {"role": "viewer"}))
    assert "bob is viewer now" in page.words
    assert bob.get("/", 303).location.startswith("/login")
    again = people.browser(people.bob)
    again.get("/llm-clients/new", 403)


def test_nobody_changes_the_own_role_or_leaves_the_account_alone(
    planes: Planes, people: People
) -> None:
    alice = people.browser(people.alice)
    page = alice.post(path_of(people.alice), {"role": "viewer"}, 422)
    assert "Nobody changes their own role" in page.words
    page = alice.post(path_of(people.alice) + "remove", {}, 422)
    assert "Nobody removes themselves" in page.words
    assert role_of(planes, people.alice) == Role.ADMIN


def test_the_last_admin_can_be_neither_demoted_nor_removed(planes: Planes, people: People) -> None:
    guest = a_guest(planes, people)
    page = guest.post(path_of(people.alice), {"role": "member"}, 422)
    assert "An account needs an admin" in page.words
    page = guest.post(path_of(people.alice) + "remove", {}, 422)
    assert "An account needs an admin" in page.words
    guest.post(path_of(people.bob), {"role": "admin"})
    guest.post(path_of(people.alice), {"role": "member"})
    assert role_of(planes, people.alice) == Role.MEMBER


def a_guest(planes: Planes, people: People) -> Browser:
    """A guest of the platform, who has an admin's role and does not count as one."""
    with planes.worker.app_context():
        db.session.add(
            UserProfile(
                user_id=people.charlie.user_id,
                account_id=people.alice.account_id,
                role=Role.ADMIN,
                is_guest=True,
            )
        )
        db.session.commit()
    charlie = people.browser(people.charlie)
    charlie.post("/account/switch", {"account_id": str(people.alice.account_id)})
    return charlie


def test_who_was_removed_is_out_with_the_next_request(people: People) -> None:
    alice, bob = people.browser(people.alice), people.browser(people.bob)
    bob.get("/llm-clients/", 200)
    page = alice.follow(alice.post(path_of(people.bob) + "remove"))
    assert "bob is removed" in page.words
    assert len(page.html.select("tbody tr")) == 2
    assert "no active account" in bob.get("/llm-clients/", 403).words
    assert "no active account" in people.browser(people.bob).get("/", 403).words


def test_the_clients_of_who_was_removed_stay(people: People, make_client: MakeClient) -> None:
    client = make_client("bobs", people.bob)
    alice = people.browser(people.alice)
    alice.post(path_of(people.bob) + "remove")
    alice.get(f"/llm-clients/{client}/edit", 200)


def test_people_of_others_and_people_who_left_are_not_there(people: People) -> None:
    alice = people.browser(people.alice)
    alice.post(path_of(people.bob) + "remove")
    for path in (path_of(people.charlie), path_of(people.bob), "/users/999999/"):
        alice.get(path, 404)
        alice.post(path, {"role": "viewer"}, 404)
        alice.post(path + "remove", expected=404)


@pytest.mark.parametrize("role", ["superuser", "owner", "", "Admin", "\x00"])
def test_a_role_that_does_not_exist_is_refused(role: str, planes: Planes, people: People) -> None:
    people.browser(people.alice).post(path_of(people.bob), {"role": role}, 422)
    assert role_of(planes, people.bob) == Role.MEMBER


def test_changes_of_people_are_in_the_audit_log(planes: Planes, people: People) -> None:
    alice = people.browser(people.alice)
    extra = {"role": "viewer", "account_id": "2", "is_superuser": "1", "user_id": "4"}
    alice.post(path_of(people.bob), extra)
    alice.post(path_of(people.bob) + "remove")
    with planes.worker.app_context():
        found = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)).all()
        told = [(event.action, event.object_name, event.before, event.after) for event in found]
        assert told == [
            ("role_changed", "bob", {"role": "member"}, {"role": "viewer"}),
            ("person_removed", "bob", {"role": "viewer"}, None),
        ]
        assert not db.session.get_one(UserProfile, people.bob.profile_id).user.is_superuser


def test_fifty_people_cost_no_more_queries_than_three(planes: Planes, people: People) -> None:
    alice = people.browser(people.alice)
    few = questions(planes, lambda: alice.get("/users/"))
    with planes.worker.app_context():
        for number in range(60):
            user = User(username=f"person-{number:02}")
            db.session.add(UserProfile(user=user, account_id=people.alice.account_id))
        db.session.commit()
    assert questions(planes, lambda: alice.get("/users/")) == few <= 8
    page = alice.get("/users/")
    assert len(page.html.select("tbody tr")) == 50
    more = alice.get(str(page.find("a[rel=next]")["href"]))
    assert len(more.html.select("tbody tr")) == 13


def questions(planes: Planes, ask: Callable[[], Page]) -> int:
    """How many statements a page sends."""
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        asked.append(statement)

    with planes.admin.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(asked)
