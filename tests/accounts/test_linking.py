"""Linking the user that one has with an identity at another portal, and taking that back."""

from __future__ import annotations

import urllib.request
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
import time_machine

from portal.accounts.models import AuditEvent, User
from portal.database import db, utc_now
from portal.people.models import ExternalIdentity
from tests.accounts.test_sign_on import _Stay, signed_on
from tests.open_id_service import OpenIdService
from tests.people import PASSWORD, Browser, Page, People
from tests.planes import Planes

PAGE = "/account/sign-on"


@pytest.fixture
def linked(people: People, open_id: OpenIdService) -> Browser:
    """Alice, who is `nora-1` elsewhere."""
    alice = people.browser(people.alice)
    assert "signs you in from now on" in come_back(alice, go(alice)).words
    return alice


def go(browser: Browser) -> str:
    """After the password: where the provider leads back to."""
    page = browser.post(f"{PAGE}/link", {"current": PASSWORD}, 200)
    address = str(page.find("a.btn-primary")["href"])
    try:
        urllib.request.build_opener(_Stay).open(address)
    except HTTPError as answer:
        parts = urlsplit(answer.headers["Location"])
        answer.close()
        return f"{parts.path}?{parts.query}"
    raise AssertionError("the provider showed a page")


def come_back(browser: Browser, path: str) -> Page:
    there = browser.get(path, 303)
    assert there.location == PAGE
    return browser.get(PAGE)


def identities(planes: Planes) -> list[tuple[int, str]]:
    with planes.worker.app_context():
        rows = db.session.scalars(db.select(ExternalIdentity))
        return [(row.user_id, row.subject) for row in rows]


def test_a_linked_identity_signs_the_same_person_in(
    planes: Planes, people: People, linked: Browser
) -> None:
    assert identities(planes) == [(people.alice.user_id, "nora-1")]
    other = people.browser()
    assert signed_on(other) == "/"
    assert "alice" in other.get("/").find("summary.person").get_text()
    assert "You are nora-1 there" in linked.get(PAGE).words
    with planes.worker.app_context():
        actions = list(db.session.scalars(db.select(AuditEvent.action)))
        assert "sign_on_linked" in actions


def test_linking_wants_the_present_password(people: People, open_id: OpenIdService) -> None:
    alice = people.browser(people.alice)
    alice.post(f"{PAGE}/link", expected=422)
    page = alice.post(f"{PAGE}/link", {"current": "wrong"}, 422)
    assert "not your present password" in page.words


def test_an_identity_of_somebody_else_here_is_refused(
    planes: Planes, people: People, linked: Browser
) -> None:
    bob = people.browser(people.bob)
    assert "linked with another user here" in come_back(bob, go(bob)).words
    assert identities(planes) == [(people.alice.user_id, "nora-1")]


def test_a_second_identity_of_the_same_provider_is_refused(
    planes: Planes, people: People, open_id: OpenIdService, linked: Browser
) -> None:
    open_id.person["sub"] = "another"
    assert "Unlink that one first" in come_back(linked, go(linked)).words
    open_id.person["sub"] = "nora-1"
    come_back(linked, go(linked))
    assert identities(planes) == [(people.alice.user_id, "nora-1")]


def test_only_the_session_that_asked_is_linked(
    planes: Planes, people: People, open_id: OpenIdService
) -> None:
    alice, again, bob = (people.browser(p) for p in (people.alice, people.alice, people.bob))
    path = go(alice)
    for other in (again, bob, people.browser()):
        other.get(path, 303)
    alice.get(path.replace("state=", "state=x"), 303)
    alice.get(path, 303)  # the note is used up by then
    assert identities(planes) == []


def test_who_takes_longer_than_ten_minutes_begins_anew(
    planes: Planes, people: People, open_id: OpenIdService
) -> None:
    alice = people.browser(people.alice)
    path = go(alice)
    with time_machine.travel(utc_now() + timedelta(minutes=11), tick=False):
        assert "took too long" in come_back(alice, path).words
    assert identities(planes) == []


@pytest.mark.parametrize("claims", [{"nonce": "another"}, {"aud": "somebody"}, {"exp": 1}])
def test_a_token_that_does_not_fit_links_nothing(
    claims: dict[str, Any], planes: Planes, people: People, open_id: OpenIdService
) -> None:
    open_id.claims = claims
    alice = people.browser(people.alice)
    assert "Nothing was linked" in come_back(alice, go(alice)).words
    assert identities(planes) == []


def test_unlinking_wants_the_password_and_another_way_in(
    planes: Planes, people: People, linked: Browser
) -> None:
    linked.post(f"{PAGE}/unlink", {"current": "wrong"}, 422)
    people.browser(people.bob).post(f"{PAGE}/unlink", {"current": PASSWORD}, 404)
    page = linked.follow(linked.post(f"{PAGE}/unlink", {"current": PASSWORD}))
    assert "does not sign you in any more" in page.words
    assert identities(planes) == []
    assert signed_on(people.browser()) == "/login"


def test_the_only_way_in_stays(planes: Planes, people: People, linked: Browser) -> None:
    with planes.worker.app_context():
        db.session.get_one(User, people.alice.user_id).password_hash = ""
        db.session.commit()
    assert "your only way in" in linked.get(PAGE).words
    page = linked.post(f"{PAGE}/unlink", expected=422)
    assert "your only way in" in page.words
    assert identities(planes) == [(people.alice.user_id, "nora-1")]


def test_who_has_no_password_needs_a_fresh_sign_in(
    planes: Planes, people: People, linked: Browser
) -> None:
    """In place of the present password; here and wherever it is asked for."""
    with planes.worker.app_context():
        db.session.get_one(User, people.alice.user_id).password_hash = ""
        db.session.commit()
    new = {"password": "eleven patient lanterns", "again": "eleven patient lanterns"}
    with time_machine.travel(utc_now() + timedelta(minutes=16), tick=False):
        page = linked.post("/account/password", new, 422)
        assert "a sign-in of the last 15 minutes" in page.words
    linked.post("/account/password", new)


def test_without_a_provider_there_is_no_such_page(people: People) -> None:
    alice = people.browser(people.alice)
    alice.get(PAGE, 404)
    alice.post(f"{PAGE}/link", {"current": PASSWORD}, 404)
    assert alice.get("/account/").html.select(f"a[href='{PAGE}']") == []
