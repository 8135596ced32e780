"""The second factor: codes of an app, recovery codes, and accounts that want one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine

from portal.accounts.models import Account, AuditEvent
from portal.accounts.signing_in import MOST_FAILURES
from portal.database import db, utc_now
from portal.people import qr_codes, totp
from portal.people.models import RecoveryCode, TotpFactor
from tests.people import PASSWORD, Browser, Page, People
from tests.planes import Planes

CURRENT = {"current": PASSWORD}


@pytest.mark.engine_independent
@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.code_of(key, seconds // 30) == code
    now = datetime.fromtimestamp(seconds, tz=utc_now().tzinfo)
    assert totp.matching_step(key, f" {code[:3]} {code[3:]} ", now) == seconds // 30
    assert totp.matching_step(key, code, now + timedelta(seconds=61)) is None


@pytest.mark.engine_independent
def test_a_qr_code_is_squares_with_white_around() -> None:
    code = qr_codes.drawn("otpauth://totp/x?secret=ABC")
    assert code.size >= 21 + 8
    assert code.path.startswith("M4 4h7v1h-7z"), "the first finder pattern"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands, so that a code belongs to one step."""
    with time_machine.travel(utc_now(), tick=False) as traveller:
        yield traveller


def enrolled(browser: Browser) -> tuple[str, list[str]]:
    """Add an app, and return its key and the recovery codes."""
    page = browser.follow(browser.post("/account/second-factor/begin", CURRENT))
    key = page.find("main code").get_text().replace(" ", "")
    assert page.find("svg.qr path")["d"]
    code = totp.code_of(key, totp.step_of(utc_now()))
    page = browser.post("/account/second-factor/enrol", {"code": code}, 200)
    return key, page.find("pre.code").get_text().split()


def first_step(people: People, expected_target: str = "/login/code") -> Browser:
    browser = people.browser()
    page = browser.post("/login", {"username": "alice", "password": PASSWORD, "next": "/requests/"})
    assert page.location == expected_target
    return browser


def second_step(browser: Browser, code: str, expected: int = 303) -> Page:
    return browser.post("/login/code", {"code": code}, expected)


def code_now(key: str) -> str:
    return totp.code_of(key, totp.step_of(utc_now()))


def test_the_password_alone_opens_nothing_any_more(
    clock: time_machine.Traveller, people: People
) -> None:
    key, _ = enrolled(people.browser(people.alice))
    clock.shift(60)
    browser = first_step(people)
    assert browser.get("/", 303).location.startswith("/login")
    second_step(browser, "000000", 422)
    assert second_step(browser, code_now(key)).location == "/requests/"
    browser.get("/", 200)


def test_a_code_works_once(clock: time_machine.Traveller, people: People) -> None:
    key, _ = enrolled(people.browser(people.alice))
    used = code_now(key)
    assert "used already" in second_step(first_step(people), used, 422).words
    clock.shift(60)
    code = code_now(key)
    second_step(first_step(people), code)
    second_step(first_step(people), code, 422)


def test_a_recovery_code_works_once_and_is_counted(
    clock: time_machine.Traveller, planes: Planes, people: People
) -> None:
    _, codes = enrolled(people.browser(people.alice))
    assert len(set(codes)) == 10
    browser = first_step(people)
    second_step(browser, codes[3].upper().replace("-", " "))
    assert "9 of 10 recovery codes" in browser.get("/account/second-factor").words
    second_step(first_step(people), codes[3], 422)
    with planes.worker.app_context():
        actions = list(db.session.scalars(db.select(AuditEvent.action)))
        assert "recovery_code_used" in actions
        assert "code_refused" in actions


def test_ten_wrong_codes_shut_the_door(clock: time_machine.Traveller, people: People) -> None:
    key, codes = enrolled(people.browser(people.alice))
    clock.shift(60)
    for _ in range(MOST_FAILURES):
        second_step(first_step(people), "123", 422)
    second_step(first_step(people), code_now(key), 429)
    second_step(first_step(people), codes[0], 429)
    clock.shift(16 * 60)
    second_step(first_step(people), code_now(key))


def test_five_minutes_are_enough_for_the_second_step(
    clock: time_machine.Traveller, people: People
) -> None:
    key, _ = enrolled(people.browser(people.alice))
    browser = first_step(people)
    clock.shift(301)
    assert second_step(browser, code_now(key)).location == "/login"
    assert people.browser().get("/login/code", 303).location == "/login"


def test_a_key_counts_only_when_its_first_code_was_right(people: People) -> None:
    alice = people.browser(people.alice)
    page = alice.follow(alice.post("/account/second-factor/begin", CURRENT))
    alice.post("/account/second-factor/enrol", {"code": "000000"}, 422)
    again = alice.get("/account/second-factor/enrol")
    assert again.find("main code") == page.find("main code"), "a slip does not change the key"
    first_step(people, "/requests/")


def test_adding_and_removing_want_the_password(
    clock: time_machine.Traveller, people: People
) -> None:
    alice = people.browser(people.alice)
    wrong = {"current": "wrong"}
    alice.post("/account/second-factor/begin", wrong, 422)
    enrolled(alice)
    for action in ("remove", "codes"):
        alice.post(f"/account/second-factor/{action}", wrong, 422)
    alice.post("/account/second-factor/remove", CURRENT)
    first_step(people, "/requests/")
    alice.post("/account/second-factor/remove", CURRENT, 404)


def test_adding_one_ends_other_sessions_and_changes_the_cookie(
    clock: time_machine.Traveller, people: People
) -> None:
    here, there = people.browser(people.alice), people.browser(people.alice)
    cookie = here._client.get_cookie("portal_session", domain="localhost").value
    enrolled(here)
    here.get("/", 200)
    there.get("/", 303)
    here._client.set_cookie("portal_session", cookie, domain="localhost")
    here.get("/", 303)


def test_new_recovery_codes_end_the_old_ones(clock: time_machine.Traveller, people: People) -> None:
    alice = people.browser(people.alice)
    _, old = enrolled(alice)
    page = alice.post("/account/second-factor/codes", CURRENT, 200)
    new = page.find("pre.code").get_text().split()
    second_step(first_step(people), old[0], 422)
    second_step(first_step(people), new[0])


def test_neither_key_nor_codes_are_stored_in_the_clear(
    clock: time_machine.Traveller, planes: Planes, people: People
) -> None:
    alice = people.browser(people.alice)
    key, codes = enrolled(alice)
    with planes.worker.app_context():
        rows = [
            vars(row) for model in (TotpFactor, RecoveryCode, AuditEvent) for row in _all(model)
        ]
        for secret in (key, *codes, *(code.replace("-", "") for code in codes)):
            assert secret not in str(rows)
    assert key not in alice.get("/account/second-factor").text.replace(" ", "")
    alice.get("/account/second-factor/enrol", 303)


def _all(model: type) -> list:
    return list(db.session.scalars(db.select(model)))


def test_an_account_that_wants_one_leads_there_first(
    clock: time_machine.Traveller, people: People
) -> None:
    alice, bob = people.browser(people.alice), people.browser(people.bob)
    page = alice.get("/settings/")
    alice.post("/settings/", {**page.values(), "requires_second_factor": "y"})
    for path in ("/", "/llm-clients/new", "/account/password", "/requests/"):
        assert bob.get(path, 303).location == "/account/second-factor"
    assert "wants everybody to have a second factor" in bob.post("/llm-clients/new", {}, 403).words
    enrolled(bob)
    bob.get("/llm-clients/new", 200)
    people.browser(people.charlie).get("/", 200)
    again = people.browser(people.vera)
    again.post("/logout")


def test_admins_see_who_has_one(clock: time_machine.Traveller, people: People) -> None:
    enrolled(people.browser(people.bob))
    rows = people.browser(people.alice).get("/users/").html.select("tbody tr")
    told = {row.th.get_text(" ").split()[0]: row.select("td")[1].get_text() for row in rows}
    assert told == {"alice": "None", "bob": "Yes", "vera": "None"}


def test_settings_of_the_account_are_saved_and_told(planes: Planes, people: People) -> None:
    alice = people.browser(people.alice)
    values = {"company_name": "Birkenhof GmbH", "timezone": "Europe/Zurich", "currency": "CHF"}
    values["audit_days"] = "90"
    page = alice.follow(
        alice.post("/settings/", {**values, "account_number": "1", "is_active": ""})
    )
    assert "Birkenhof GmbH" in page.find(".account").get_text()
    people.browser(people.bob).get("/settings/", 403)
    with planes.worker.app_context():
        [event] = db.session.scalars(db.select(AuditEvent).filter_by(action="account_changed"))
        assert event.before["company_name"] == "Birkenhof Media"
        assert event.after["timezone"] == "Europe/Zurich"
        account = db.session.get_one(Account, people.alice.account_id)
        assert account.is_active
        assert re.fullmatch(r"\d{4}-\d{4}-\d{4}", account.account_number)


@pytest.mark.parametrize(
    ("field", "value"),
    [("company_name", " "), ("timezone", "Mars/Olympus"), ("timezone", ""), ("currency", "XXX")],
)
def test_settings_that_make_no_sense_are_refused(field: str, value: str, people: People) -> None:
    alice = people.browser(people.alice)
    values = {"company_name": "B", "timezone": "UTC", "currency": "EUR", field: value}
    page = alice.post("/settings/", values, 422)
    assert page.html.select(f"#{field}-error")
