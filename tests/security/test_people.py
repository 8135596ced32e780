"""Passwords, factors, sessions, and what is told of them (ASVS 5.0 chapters 6, 7 and 14)."""

from __future__ import annotations

import pytest

from portal.accounts import passwords
from portal.accounts.models import AuditEvent, User
from portal.database import db
from portal.people import second_factors
from tests.people import PASSWORD, Browser, People
from tests.planes import Planes

STRANGE = "  Grüße, Ωmega & 日本 – tab\tand  two spaces "


def change(browser: Browser, new: str, expected: int = 303) -> str:
    values = {"current": PASSWORD, "password": new, "again": new}
    return browser.post("/account/password", values, expected).words


def can_sign_in(people: People, password: str) -> bool:
    browser = people.browser()
    values = {**browser.get("/login").values(), "username": "alice", "password": password}
    return bool(browser.raw("POST", "/login", data=values).status_code == 303)


def test_a_password_is_taken_exactly_as_it_was_typed(people: People) -> None:
    change(people.browser(people.alice), STRANGE)
    assert can_sign_in(people, STRANGE)
    with people.planes.worker.app_context():
        stored = db.session.get_one(User, people.alice.user_id).password_hash
        assert stored.startswith("$argon2id$")
    for other in (STRANGE.strip(), STRANGE.lower(), STRANGE.replace("  ", " "), STRANGE[:-1]):
        assert not can_sign_in(people, other)


def test_a_long_password_counts_to_its_last_letter(people: People) -> None:
    long = "a phrase of many words, " * 40
    assert len(long) > 900
    change(people.browser(people.alice), long)
    assert can_sign_in(people, long)
    assert not can_sign_in(people, f"{long[:-1]}!")


@pytest.mark.parametrize(
    "easy",
    ["portal123456", "Password2026", "alice1234567", "aaaaaaaaaaaa", "ChangeMe1234", "qwertz98765"],
)
def test_what_is_tried_first_is_refused(easy: str, people: People) -> None:
    assert passwords.is_easy(easy, ("alice",))
    assert "Too easy to guess" in change(people.browser(people.alice), easy, 422)


@pytest.mark.parametrize("path", ["/login", "/account/password"])
def test_passwords_are_masked_and_managers_may_fill_them_in(path: str, people: People) -> None:
    browser = people.browser(None if path == "/login" else people.alice)
    fields = browser.get(path).html.select("input[autocomplete*=password]")
    assert fields
    for field in fields:
        assert field["type"] == "password"
        assert field["autocomplete"] in ("current-password", "new-password")
        assert not field.has_attr("onpaste")


def test_a_recovery_code_has_more_than_112_bits(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        codes = second_factors.new_recovery_codes(db.session.get_one(User, people.alice.user_id))
    for code in codes:
        letters = code.replace("-", "")
        assert set(letters) <= set("abcdefghijklmnopqrstuvwxyz234567")
        assert 5 * len(letters) >= 112  # base32: five bits a letter
        assert max(len(part) for part in code.split("-")) == 4
    assert len(set(codes)) == 10


@pytest.mark.parametrize("path", ["/logout", "/account/sessions/revoke-all"])
def test_signing_out_clears_what_the_browser_kept(path: str, people: People) -> None:
    answer = people.browser(people.alice).post(path, {"current": PASSWORD}).response
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'


def test_an_admin_signs_somebody_out_everywhere(planes: Planes, people: People) -> None:
    alice, bob, elsewhere = (people.browser(p) for p in (people.alice, people.bob, people.bob))
    alice.post(f"/users/{people.bob.profile_id}/sign-out")
    for browser in (bob, elsewhere):
        browser.get("/", 303)
    alice.get("/")
    people.browser(people.bob).get("/")
    people.browser(people.bob).post(f"/users/{people.vera.profile_id}/sign-out", expected=403)
    with planes.worker.app_context():
        [event] = db.session.scalars(db.select(AuditEvent).filter_by(action="person_signed_out"))
        assert (event.user_id, event.object_name) == (people.alice.user_id, "bob")
