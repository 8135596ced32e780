"""Sessions: how long they last, and that ending one acts on the next request."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from portal.accounts.models import AuditEvent, UserSession
from portal.database import db, utc_now
from tests.people import PASSWORD, Browser, MakeClient, People
from tests.planes import Planes

HOUR = timedelta(hours=1)


def is_in(browser: Browser) -> bool:
    status: int = browser.raw("GET", "/").status_code
    assert status in (200, 303)
    return status == 200


def test_signing_out_ends_the_session_not_only_the_cookie(people: People) -> None:
    browser = people.browser(people.alice)
    cookie = browser._client.get_cookie("portal_session", domain="localhost").value
    assert browser.post("/logout").location == "/login"
    assert not is_in(browser)
    browser._client.set_cookie("portal_session", cookie, domain="localhost")
    assert not is_in(browser), "the old cookie must be worth nothing"


def test_revoking_a_browser_signs_out_that_one_only(people: People) -> None:
    here, there = people.browser(people.alice), people.browser(people.alice)
    page = here.get("/account/sessions")
    rows = page.html.select("tbody tr")
    assert len(rows) == 2
    other = next(row for row in rows if "This browser" not in row.get_text())
    path = str(other.select_one("a")["href"])
    assert "not your present password" in here.post(path, {"current": "wrong"}, 422).words
    assert is_in(there)
    here.post(path, {"current": PASSWORD})
    here.get(path, 404)
    assert is_in(here)
    assert not is_in(there)
    assert len(here.get("/account/sessions").html.select("tbody tr")) == 1


def test_somebody_elses_session_is_not_there(planes: Planes, people: People) -> None:
    alice, bob = people.browser(people.alice), people.browser(people.bob)
    with planes.worker.app_context():
        query = db.select(UserSession.id).where(UserSession.user_id == people.bob.user_id)
        number = db.session.scalars(query).one()
    alice.get(f"/account/sessions/{number}/revoke", 404)
    alice.post(f"/account/sessions/{number}/revoke", {"current": PASSWORD}, expected=404)
    assert is_in(bob)


def test_signing_out_everywhere_ends_them_all(people: People) -> None:
    here, there, bob = (people.browser(p) for p in (people.alice, people.alice, people.bob))
    here.post("/account/sessions/revoke-all", expected=422)
    here.post("/account/sessions/revoke-all", {"current": "wrong"}, 422)
    assert is_in(there)
    here.post("/account/sessions/revoke-all", {"current": PASSWORD})
    assert not is_in(here)
    assert not is_in(there)
    assert is_in(bob)


def test_ending_sessions_is_in_the_audit_log(planes: Planes, people: People) -> None:
    browser = people.browser(people.alice)
    people.browser(people.alice)
    [link] = browser.get("/account/sessions").html.select("tbody tr:not(:has(.badge-line)) a")
    browser.post(str(link["href"]), {"current": PASSWORD})
    browser.post("/account/switch", {"account_id": str(people.alice.account_id)})
    browser.post("/account/sessions/revoke-all", {"current": PASSWORD})
    with planes.worker.app_context():
        found = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [event.action for event in found] == [
            "session_revoked",
            "switched_account",
            "signed_out_everywhere",
        ]
        assert {event.user_id for event in found} == {people.alice.user_id}


def test_eight_idle_hours_end_a_session(people: People) -> None:
    browser, start = people.browser(people.alice), utc_now()
    with time_machine.travel(start, tick=False) as clock:
        clock.move_to(start + 7.9 * HOUR)
        assert is_in(browser)
        clock.move_to(start + 15.8 * HOUR)
        assert is_in(browser), "use before eight hours begins them anew"
        clock.move_to(start + 23.9 * HOUR)
        assert not is_in(browser)


def test_seven_days_end_a_session_that_is_in_use(people: People) -> None:
    browser, start = people.browser(people.alice), utc_now()
    with time_machine.travel(start, tick=False) as clock:
        for hours in range(0, 7 * 24, 6):
            clock.move_to(start + hours * HOUR)
            assert is_in(browser)
        clock.move_to(start + 7 * 24 * HOUR + timedelta(seconds=1))
        assert not is_in(browser)


def test_a_poll_does_not_keep_a_session_alive(people: People, make_client: MakeClient) -> None:
    path = f"/llm-clients/{make_client()}/status"
    browser, start = people.browser(people.alice), utc_now()
    with time_machine.travel(start, tick=False) as clock:
        for hours in range(8):
            clock.move_to(start + hours * HOUR)
            assert browser.raw("GET", path).status_code == 200
        clock.move_to(start + 8.1 * HOUR)
        assert browser.raw("GET", path).status_code == 303


@pytest.mark.parametrize("token", ["", "garbage", "' OR 1=1", "x" * 10_000])
def test_a_made_up_session_is_nobody(token: str, people: People) -> None:
    browser = people.browser(people.alice)
    with browser._client.session_transaction(base_url="http://localhost") as session:
        session["_user_id"] = token
    assert not is_in(browser)


def test_only_the_hash_of_a_session_is_stored(planes: Planes, people: People) -> None:
    browser = people.browser(people.alice)
    with browser._client.session_transaction(base_url="http://localhost") as session:
        token = session["_user_id"]
    with planes.worker.app_context():
        [stored] = db.session.scalars(db.select(UserSession)).all()
        assert token not in str(vars(stored))
