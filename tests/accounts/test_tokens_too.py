"""A changed password and signing out everywhere end a person's API tokens, unless they say no."""

from __future__ import annotations

import pytest

from portal.accounts.models import AuditEvent, Role, User, UserProfile
from portal.database import db, utc_now
from portal.people import one_time_links, personal_tokens
from portal.people.models import Purpose
from tests.people import PASSWORD, Browser, People, Person
from tests.planes import Planes

NEW = {"password": "eleven patient lanterns", "again": "eleven patient lanterns"}
WAYS = {
    "/account/password": {"current": PASSWORD, **NEW},
    "/account/sessions/revoke-all": {"current": PASSWORD},
    "/reset-password": NEW,
}


def token_of(planes: Planes, person: Person) -> str:
    with planes.worker.app_context():
        profile = db.session.get_one(UserProfile, person.profile_id)
        end = utc_now().replace(year=2100)
        made = personal_tokens.make(profile, "nightly", True, end, utc_now())
        db.session.commit()
        return made.text


def works(planes: Planes, token: str) -> bool:
    """Asked of the API itself."""
    answer = planes.api.test_client().get(
        "/api/v1/clients/",
        base_url=f"http://{planes.settings.platform_domain}",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code in (200, 401)
    return bool(answer.status_code == 200)


def browser_for(path: str, planes: Planes, people: People) -> Browser:
    """Alice's, or that of whoever followed a link to her."""
    if path != "/reset-password":
        return people.browser(people.alice)
    with planes.worker.app_context():
        user = db.session.get_one(User, people.alice.user_id)
        link = one_time_links.make(user, Purpose.PASSWORD, utc_now())
        db.session.commit()
    browser = people.browser()
    browser.raw("GET", f"/reset-password/{link}")
    return browser


@pytest.mark.parametrize("path", WAYS)
def test_the_box_is_checked_and_tokens_end(path: str, planes: Planes, people: People) -> None:
    mine, bobs = token_of(planes, people.alice), token_of(planes, people.bob)
    browser = browser_for(path, planes, people)
    page = browser.get(path)
    assert page.find("input[name=revoke_tokens]").has_attr("checked")
    assert "One token works" in page.words
    browser.post(path, {**page.values(), **WAYS[path]})
    assert not works(planes, mine)
    assert works(planes, bobs)
    with planes.worker.app_context():
        query = db.select(AuditEvent).filter_by(action="personal_tokens_revoked")
        [event] = db.session.scalars(query)
        assert (event.user_id, event.object_name) == (people.alice.user_id, "alice")


@pytest.mark.parametrize("path", WAYS)
def test_who_takes_the_hook_out_keeps_them(path: str, planes: Planes, people: People) -> None:
    token = token_of(planes, people.alice)
    browser_for(path, planes, people).post(path, WAYS[path])
    assert works(planes, token)


def test_without_tokens_nobody_is_asked(planes: Planes, people: People) -> None:
    for path in WAYS:
        page = browser_for(path, planes, people).get(path)
        assert page.html.select("input[name=revoke_tokens]") == []


def test_an_admin_ends_the_tokens_of_this_account_with_somebodys_sessions(
    planes: Planes, people: People
) -> None:
    path, token = f"/users/{people.bob.profile_id}/sign-out", token_of(planes, people.bob)
    mine, alice = token_of(planes, people.alice), people.browser(people.alice)
    page = alice.get(path)
    assert "One token works in this account." in page.words
    assert page.find("input[name=revoke_tokens]").has_attr("checked")
    alice.post(path)  # the box is not checked
    assert works(planes, token)
    alice.post(path, {"revoke_tokens": "y"})
    assert (works(planes, token), works(planes, mine)) == (False, True)
    with planes.worker.app_context():
        query = db.select(AuditEvent).filter_by(action="personal_tokens_revoked")
        [event] = db.session.scalars(query)
        assert (event.user_id, event.object_name) == (people.alice.user_id, "bob")
    assert alice.get(path).html.select("input[name=revoke_tokens]") == []


def test_tokens_of_another_account_are_its_admins_and_the_platforms(
    planes: Planes, people: People
) -> None:
    with planes.worker.app_context():
        there = UserProfile(
            user_id=people.bob.user_id, account_id=people.charlie.account_id, role=Role.MEMBER
        )
        db.session.add(there)
        db.session.commit()
        elsewhere = Person(**{**vars(people.bob), "profile_id": there.id})
    path, token = f"/users/{people.bob.profile_id}/sign-out", token_of(planes, elsewhere)
    people.browser(people.alice).post(path, {"revoke_tokens": "y"})
    assert works(planes, token)
    with planes.worker.app_context():
        db.session.get_one(User, people.alice.user_id).is_superuser = True
        db.session.commit()
    alice = people.browser(people.alice)
    assert "One token works, in all accounts together." in alice.get(path).words
    alice.post(path, {"revoke_tokens": "y"})
    assert not works(planes, token)
