"""Passkeys: registered by name, both factors in one, and what an answer has to fit to."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from portal.accounts.models import AuditEvent, User
from portal.database import db, utc_now
from portal.people.models import Passkey
from tests.people import PASSWORD, Browser, People
from tests.planes import Planes
from tests.soft_passkey import PRESENT, SoftPasskey

CURRENT = {"current": PASSWORD}


@pytest.fixture
def device(planes: Planes) -> SoftPasskey:
    return SoftPasskey(origin=planes.settings.platform_url)


def creation_options(browser: Browser, name: str = "My telephone") -> dict[str, Any]:
    """Go as far as the page that asks the device."""
    page = browser.follow(browser.post("/account/passkeys/begin", {"name": name, **CURRENT}))
    found: dict[str, Any] = json.loads(str(page.find("form[data-passkey]")["data-passkey-options"]))
    return found


def register(browser: Browser, device: SoftPasskey, expected: int = 200) -> list[str]:
    """Register the device, and return the recovery codes that come with the first one."""
    answer = device.create(creation_options(browser))
    page = browser.post("/account/passkeys/new", {"credential": answer}, expected)
    codes = page.html.select_one("pre.code")
    return codes.get_text().split() if codes else []


def sign_in_options(browser: Browser) -> dict[str, Any]:
    answer = browser.raw("POST", "/login/passkey/options", data={"csrf_token": browser.token()})
    found: dict[str, Any] = answer.get_json()
    return found


def sign_in(browser: Browser, answer: str, target: str = "") -> str:
    """Where the answer of a device leads."""
    return browser.post("/login/passkey", {"credential": answer, "next": target}).location


def test_a_passkey_signs_in_without_name_and_password(
    planes: Planes, people: People, device: SoftPasskey
) -> None:
    codes = register(people.browser(people.alice), device)
    assert len(codes) == 10
    browser = people.browser()
    options = sign_in_options(browser)
    assert options["userVerification"] == "required"
    assert options["rpId"] == "localhost"
    assert sign_in(browser, device.get(options), "/requests/") == "/requests/"
    page = browser.get("/account/passkeys")
    assert "My telephone" in page.words
    assert "Last used: just now" in page.words


def test_what_the_device_is_asked_to_make(people: People, device: SoftPasskey) -> None:
    alice = people.browser(people.alice)
    options = creation_options(alice)
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["user"]["name"] == "alice"
    assert options["excludeCredentials"] == []
    register(alice, device)
    again = creation_options(alice)
    assert len(again["excludeCredentials"]) == 1
    assert again["user"]["id"] == device.user_handle, "one person, one handle"


def test_the_password_wants_a_second_step_then(people: People, device: SoftPasskey) -> None:
    codes = register(people.browser(people.alice), device)
    browser = people.browser()
    page = browser.post("/login", {"username": "alice", "password": PASSWORD})
    assert page.location == "/login/code"
    browser.post("/login/code", {"code": codes[0]})
    browser.get("/", 200)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda device: setattr(device, "origin", "http://evil.example"),
        lambda device: setattr(device, "host", "evil.example"),
        lambda device: setattr(device, "flags", PRESENT),
        lambda device: setattr(device, "user_handle", "AAAA"),
        lambda device: setattr(device, "count", -1),
        lambda device: setattr(device, "key", SoftPasskey("").key),
        lambda device: setattr(device, "credential_id", b"x" * 32),
    ],
    ids=["origin", "host", "not verified", "handle", "counter", "key", "id"],
)
def test_an_answer_that_does_not_fit_opens_nothing(
    spoil: Callable[[SoftPasskey], None], planes: Planes, people: People, device: SoftPasskey
) -> None:
    device.count = 5
    register(people.browser(people.alice), device)
    spoil(device)
    browser = people.browser()
    assert sign_in(browser, device.get(sign_in_options(browser))) == "/login"
    browser.get("/", 303)
    with planes.worker.app_context():
        actions = list(db.session.scalars(db.select(AuditEvent.action)))
        assert actions[-1] == "passkey_refused"


def test_an_answer_works_once_even_with_the_cookie_of_then(
    people: People, device: SoftPasskey
) -> None:
    device.count = -1  # a device without a counter says 0 for ever
    register_without_counter(people, device)
    browser = people.browser()
    options = sign_in_options(browser)
    cookie = browser._client.get_cookie("portal_session", domain="localhost").value
    device.count = -1
    answer = device.get(options)
    assert sign_in(browser, answer) == "/"
    thief = people.browser()
    thief._client.set_cookie("portal_session", cookie, domain="localhost")
    assert sign_in(thief, answer) == "/login"


def register_without_counter(people: People, device: SoftPasskey) -> None:
    device.count = 0
    register(people.browser(people.alice), device)


def test_an_answer_to_another_challenge_or_after_five_minutes_is_refused(
    people: People, device: SoftPasskey
) -> None:
    register(people.browser(people.alice), device)
    browser = people.browser()
    earlier = device.get(sign_in_options(browser))
    later = device.get(sign_in_options(browser))
    assert sign_in(browser, earlier) == "/login"
    assert sign_in(browser, later) == "/login", "one try for each challenge"
    answer = device.get(sign_in_options(browser))
    with time_machine.travel(utc_now() + timedelta(minutes=6), tick=False):
        assert sign_in(browser, answer) == "/login"


@pytest.mark.parametrize(
    "answer",
    ["", "x", "[]", "{}", "null", '{"id": 1}', '{"id": "a", "response": []}', "9" * 30_000],
)
def test_nonsense_is_refused_in_words(answer: str, people: People) -> None:
    browser = people.browser()
    sign_in_options(browser)
    assert sign_in(browser, answer) == "/login"
    alice = people.browser(people.alice)
    creation_options(alice)
    page = alice.post("/account/passkeys/new", {"credential": answer}, 422)
    assert page.html.select("[role=alert]")


def test_a_disabled_person_does_not_get_in(
    planes: Planes, people: People, device: SoftPasskey
) -> None:
    register(people.browser(people.alice), device)
    with planes.worker.app_context():
        db.session.get_one(User, people.alice.user_id).is_enabled = False
        db.session.commit()
    browser = people.browser()
    assert sign_in(browser, device.get(sign_in_options(browser))) == "/login"


def test_adding_one_wants_the_password_and_a_name(people: People) -> None:
    alice = people.browser(people.alice)
    alice.post("/account/passkeys/begin", {"name": "x", "current": "wrong"}, 422)
    alice.post("/account/passkeys/begin", {"name": " ", **CURRENT}, 422)
    assert alice.get("/account/passkeys/new", 303).location == "/account/passkeys"


def test_a_device_is_registered_once(planes: Planes, people: People, device: SoftPasskey) -> None:
    register(people.browser(people.alice), device)
    register(people.browser(people.bob), device, expected=422)
    with planes.worker.app_context():
        assert db.session.query(Passkey).count() == 1


def test_a_removed_passkey_opens_nothing(
    planes: Planes, people: People, device: SoftPasskey
) -> None:
    alice = people.browser(people.alice)
    register(alice, device)
    path = str(alice.get("/account/passkeys").find("a[href$=remove]")["href"])
    people.browser(people.bob).get(path, 404)
    people.browser(people.bob).post(path, CURRENT, 404)
    alice.post(path, {"current": "wrong"}, 422)
    alice.post(path, CURRENT)
    browser = people.browser()
    assert sign_in(browser, device.get(sign_in_options(browser))) == "/login"
    assert browser.post("/login", {"username": "alice", "password": PASSWORD}).location == "/"


def test_an_account_that_wants_a_second_factor_is_content_with_a_passkey(
    people: People, device: SoftPasskey
) -> None:
    alice = people.browser(people.alice)
    alice.post("/settings/", {**alice.get("/settings/").values(), "requires_second_factor": "y"})
    assert alice.get("/", 303).location == "/account/second-factor"
    register(alice, device)
    alice.get("/", 200)
