"""Signing on with another portal: who gets in, as what, and which tokens prove nothing."""

from __future__ import annotations

import logging
import urllib.request
from datetime import timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine

from portal.accounts.models import Account, AuditEvent, Role, User, UserProfile
from portal.database import db, utc_now
from portal.settings import Settings, SettingsError
from portal.sign_on_settings import RoleRule
from tests.open_id_service import OpenIdService, ec_key, let_in
from tests.people import Browser, People
from tests.planes import Planes

SOMEBODY = {"sub": "nora-1", "preferred_username": "Nora.Berg", "groups": ["staff", "other"]}


def number_of(planes: Planes, account_id: int) -> str:
    with planes.worker.app_context():
        return db.session.get_one(Account, account_id).account_number


@pytest.fixture
def staff(planes: Planes, people: People, open_id: OpenIdService) -> OpenIdService:
    """Whoever is in `staff` is a member of Birkenhof, whoever is in `chiefs` its admin."""
    number = number_of(planes, people.alice.account_id)
    let_in(
        planes,
        open_id.issuer,
        RoleRule("staff", number, "member"),
        RoleRule("chiefs", number, "admin"),
    )
    open_id.person = dict(SOMEBODY)
    return open_id


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


def came_back(browser: Browser, target: str = "") -> str:
    """Go to the provider and back; the path that the portal is asked for then."""
    there = browser.get("/login/sign-on", 303, query_string={"next": target}).location
    try:
        urllib.request.build_opener(_Stay).open(there)
    except HTTPError as answer:
        parts = urlsplit(answer.headers["Location"])
        answer.close()
        return f"{parts.path}?{parts.query}"
    raise AssertionError("the provider showed a page")


def signed_on(browser: Browser, target: str = "") -> str:
    """Where the whole way leads to."""
    return browser.get(came_back(browser, target), 303).location


def refused(browser: Browser) -> str:
    assert signed_on(browser) == "/login"
    browser.get("/", 303)
    return browser.get("/login").words


def test_somebody_new_gets_a_user_and_the_role_of_the_rules(
    planes: Planes, people: People, staff: OpenIdService
) -> None:
    browser = people.browser()
    assert "Sign in with the company portal" in browser.get("/login").words
    assert signed_on(browser, "/requests/") == "/requests/"
    page = browser.get("/llm-clients/new", 200)
    assert "Birkenhof Media" in page.find(".account").get_text()
    assert "nora-berg" in page.find("summary.person").get_text()
    assert staff.refusals == []
    browser.get("/users/", 403)


def test_the_same_subject_is_the_same_person_whatever_it_is_called(
    planes: Planes, people: People, staff: OpenIdService
) -> None:
    signed_on(people.browser())
    staff.person["preferred_username"] = "married-name"
    assert signed_on(people.browser()) == "/"
    staff.person["sub"] = "another"
    assert signed_on(people.browser()) == "/"
    with planes.worker.app_context():
        names = set(db.session.scalars(db.select(User.username)))
        assert names == {"alice", "bob", "vera", "charlie", "nora-berg", "married-name"}


def test_a_user_with_the_same_name_or_address_is_somebody_else(
    planes: Planes, people: People, staff: OpenIdService
) -> None:
    with planes.worker.app_context():
        db.session.get_one(User, people.alice.user_id).email = "alice@example.com"
        db.session.commit()
    staff.person |= {"preferred_username": "alice", "email": "alice@example.com"}
    staff.person["email_verified"] = True
    browser = people.browser()
    signed_on(browser)
    assert "alice2" in browser.get("/").find("summary.person").get_text()
    browser.get("/users/", 403)


def test_roles_follow_the_rules_at_each_sign_in(
    planes: Planes, people: People, staff: OpenIdService
) -> None:
    signed_on(people.browser())
    staff.person["groups"] = ["staff", "chiefs"]
    browser = people.browser()
    signed_on(browser)
    browser.get("/users/", 200)
    staff.person["groups"] = "staff"
    browser = people.browser()
    signed_on(browser)
    browser.get("/users/", 403)
    staff.person["groups"] = []
    assert "no account here is open to you" in refused(people.browser())
    with planes.worker.app_context():
        user = db.session.scalars(db.select(User).filter_by(username="nora-berg")).one()
        assert [profile.role for profile in user.profiles] == [Role.MEMBER]


def test_no_rule_takes_the_last_admin(planes: Planes, people: People, staff: OpenIdService) -> None:
    staff.person["groups"] = ["chiefs"]
    signed_on(people.browser())
    with planes.worker.app_context():
        db.session.get_one(UserProfile, people.alice.profile_id).role = Role.VIEWER
        db.session.commit()
    staff.person["groups"] = []
    browser = people.browser()
    assert signed_on(browser) == "/"
    browser.get("/users/", 200)


def test_accounts_that_no_rule_names_are_left_alone(
    planes: Planes, people: People, staff: OpenIdService
) -> None:
    signed_on(people.browser())
    with planes.worker.app_context():
        user = db.session.scalars(db.select(User).filter_by(username="nora-berg")).one()
        elsewhere = people.charlie.account_id
        place = UserProfile(user_id=user.id, account_id=elsewhere, role=Role.VIEWER)
        db.session.add(place)
        db.session.commit()
    staff.person["groups"] = []
    browser = people.browser()
    assert signed_on(browser) == "/"
    assert "Elsewhere" in browser.get("/").find(".account").get_text()


def test_whom_no_rule_lets_in_leaves_no_user_behind(
    planes: Planes, people: People, staff: OpenIdService
) -> None:
    staff.person["groups"] = ["guests"]
    assert "no account here is open to you" in refused(people.browser())
    with planes.worker.app_context():
        assert db.session.query(User).count() == 4
        assert list(db.session.scalars(db.select(AuditEvent.action))) == ["sign_on_refused"]


def test_a_disabled_person_does_not_get_in(
    planes: Planes, people: People, staff: OpenIdService
) -> None:
    signed_on(people.browser())
    with planes.worker.app_context():
        user = db.session.scalars(db.select(User).filter_by(username="nora-berg")).one()
        user.is_enabled = False
        db.session.commit()
    assert "may not sign in" in refused(people.browser())


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://localhost:1"},
        {"aud": "another"},
        {"aud": ["portal", "another"]},
        {"aud": ["portal"], "azp": "another"},
        {"exp": 1},
        {"exp": "never"},
        {"exp": True},
        {"iat": 9_999_999_999},
        {"iat": None},
        {"nonce": "of another day"},
        {"nonce": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "a\0b"},
    ],
    ids=str,
)
def test_a_token_that_does_not_hold_is_refused(
    claims: dict[str, Any], people: People, staff: OpenIdService
) -> None:
    staff.claims = claims
    assert "does not hold" in refused(people.browser())


@pytest.mark.parametrize("trick", ["none", "HS256", "a key that is not published"])
def test_a_signature_that_does_not_hold_is_refused(
    trick: str, people: People, staff: OpenIdService
) -> None:
    if trick in ("none", "HS256"):
        staff.algorithm = trick
    else:
        staff.key = type(staff.key).generate_key(2048, {"kid": "one"})
    assert "does not hold" in refused(people.browser())


def test_es256_does_too_and_changed_keys_are_asked_for(
    people: People, staff: OpenIdService
) -> None:
    assert signed_on(people.browser()) == "/"
    staff.change_keys(ec_key())
    staff.algorithm = "ES256"
    assert signed_on(people.browser()) == "/"


def test_an_answer_belongs_to_the_browser_that_asked(people: People, staff: OpenIdService) -> None:
    thief, victim = people.browser(), people.browser()
    answer = came_back(thief)
    assert victim.get(answer, 303).location == "/login"
    victim.get("/login/sign-on", 303)
    assert victim.get(answer, 303).location == "/login"
    victim.get("/", 303)


def test_an_answer_works_once(people: People, staff: OpenIdService) -> None:
    browser = people.browser()
    answer = came_back(browser)
    assert browser.get(answer, 303).location == "/"
    assert browser.get(answer, 303).location == "/login"
    assert staff.refusals == [], "the second one is not even sent"


@pytest.mark.parametrize("change", ["state", "code", "iss"])
def test_an_answer_that_was_changed_is_refused(
    change: str, people: People, staff: OpenIdService
) -> None:
    browser = people.browser()
    path, _, query = came_back(browser).partition("?")
    values = {name: found[0] for name, found in parse_qs(query).items()}
    values[change] = "x" * 30
    assert browser.get(path, 303, query_string=values).location == "/login"


def test_ten_minutes_are_enough(people: People, staff: OpenIdService) -> None:
    browser = people.browser()
    answer = came_back(browser)
    with time_machine.travel(utc_now() + timedelta(minutes=11), tick=False):
        assert browser.get(answer, 303).location == "/login"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_the_way_back_leads_to_this_site_only(
    target: str, people: People, staff: OpenIdService
) -> None:
    assert signed_on(people.browser(), target) == "/"


def test_a_provider_that_is_away_is_said_and_the_password_stays(
    planes: Planes, people: People, staff: OpenIdService
) -> None:
    staff.shutdown()
    staff.server_close()
    browser = people.browser()
    assert browser.get("/login/sign-on", 303).location == "/login"
    assert "cannot be reached" in browser.get("/login").words
    browser.post("/login", {"username": "alice", "password": "correct horse battery staple"})


def test_without_settings_there_is_no_such_way(people: People) -> None:
    browser = people.browser()
    browser.get("/login/sign-on", 404)
    browser.get("/login/sign-on/back", 404)
    assert "Sign in with" not in browser.get("/login").find("main > div").find("form").get_text()


def test_neither_secret_nor_code_is_in_the_log(
    people: People, staff: OpenIdService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    staff.claims = {"aud": "another"}
    browser = people.browser()
    answer = came_back(browser)
    code = parse_qs(urlsplit(answer).query)["code"][0]
    browser.get(answer, 303)
    assert "another audience" in caplog.text
    assert code not in caplog.text
    assert "a secret" not in caplog.text


SET = {
    "PORTAL_OIDC_ISSUER": "https://id.example.com",
    "PORTAL_OIDC_CLIENT_ID": "portal",
    "PORTAL_OIDC_CLIENT_SECRET": "hush",
    "PORTAL_OIDC_ROLES": "staff=1234-5678-9012:member chiefs=1234-5678-9012:admin",
}


@pytest.mark.engine_independent
def test_the_settings_are_read_and_their_secret_is_not_shown() -> None:
    found = Settings.from_environ(SET).sign_on
    assert found.rules[1] == RoleRule("chiefs", "1234-5678-9012", "admin")
    assert found.client_secret == "hush"
    assert "hush" not in repr(found)
    assert Settings.from_environ({}).sign_on.issuer == ""


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"PORTAL_OIDC_ISSUER": "ftp://id.example.com"}, "https"),
        ({"PORTAL_OIDC_CLIENT_ID": ""}, "CLIENT_ID"),
        ({"PORTAL_OIDC_SCOPES": "profile"}, "openid"),
        ({"PORTAL_OIDC_ROLES": ""}, "ROLES"),
        ({"PORTAL_OIDC_ROLES": "staff=1234-5678-9012:superuser"}, "superuser"),
        ({"PORTAL_OIDC_ROLES": "staff=12:member"}, "staff=12:member"),
    ],
)
def test_settings_that_make_no_sense_are_said(changes: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        Settings.from_environ({**SET, **changes})


def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    people: People, staff: OpenIdService
) -> None:
    staff.issuer = "https://evil.example"  # in what it says of itself; it is asked where it was
    browser = people.browser()
    assert browser.get("/login/sign-on", 303).location == "/login"
    assert "The sign-on did not work" in browser.get("/login").words
