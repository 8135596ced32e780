"""A person sees their own sign-ins, and those of whoever tried to be them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.accounts.models import Account, AuditEvent, Role, User, UserProfile
from portal.database import db, utc_now
from portal.people import second_factors, sign_ins, totp
from tests.people import PASSWORD, Browser, Page, People
from tests.planes import Planes

PAGE = "/account/sessions/sign-ins"
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def sign_in(browser: Browser, password: str, name: str = "alice") -> int:
    values = {"csrf_token": browser.token(), "username": name, "password": password}
    return int(browser.raw("POST", "/login", data=values, headers=FIREFOX).status_code)


def rows(page: Page) -> list[str]:
    return [" ".join(row.get_text(" ").split()) for row in page.html.select("[data-rows] tr")]


def test_good_and_bad_tries_are_listed_with_way_browser_and_address(people: People) -> None:
    assert sign_in(people.browser(), "a wrong one") == 401
    browser = people.browser()
    assert sign_in(browser, PASSWORD) == 303
    page = browser.get(PAGE)
    good, bad = rows(page)
    assert "Signed in Password Firefox 140 on Linux 127.0.0.1" in good
    assert "Refused: wrong password Password Firefox 140 on Linux 127.0.0.1" in bad
    assert "a wrong one" not in page.text
    assert "Kept for 400 days, as the audit log of Birkenhof Media" in page.words
    assert browser.get("/account/sessions").find(f"a[href='{PAGE}']")


def test_the_second_factor_is_told_too(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        user = db.session.get_one(User, people.alice.user_id)
        factor = second_factors.begin(user)
        factor.confirmed_at, key = utc_now(), second_factors.key_of(factor)
        db.session.commit()
    browser = people.browser()
    sign_in(browser, PASSWORD)
    browser.post("/login/code", {"code": "nothing"}, 422)
    browser.post("/login/code", {"code": totp.code_of(key, totp.step_of(utc_now()))})
    good, bad = rows(browser.get(PAGE))
    assert "Signed in Password and app" in good
    assert "Refused: wrong code Password and code" in bad


def test_nobody_sees_the_sign_ins_of_others(people: People) -> None:
    sign_in(people.browser(), "wrong", "bob")
    sign_in(people.browser(), "wrong", "nobody")
    assert rows(people.browser(people.alice).get(PAGE)) == []
    assert len(rows(people.browser(people.bob).get(PAGE))) == 1


def test_each_is_listed_once_whatever_the_number_of_accounts(
    planes: Planes, people: People
) -> None:
    with planes.worker.app_context():
        account = db.session.get_one(Account, people.charlie.account_id)
        place = UserProfile(user_id=people.alice.user_id, account=account, role=Role.VIEWER)
        db.session.add(place)
        db.session.commit()
    browser = people.browser()
    sign_in(browser, PASSWORD)
    browser.post("/account/switch", {"account_id": str(people.charlie.account_id)})
    assert len(rows(browser.get(PAGE))) == 1


@pytest.mark.parametrize("before", ["x", "-1", "99999999999999999999", ""])
def test_a_place_that_makes_no_sense_is_the_beginning(before: str, people: People) -> None:
    people.browser(people.alice).get(f"{PAGE}?before={before}")


def test_long_lists_are_read_page_by_page(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        start = utc_now() - timedelta(days=1)
        for number in range(sign_ins.PAGE_SIZE + 3):
            event = AuditEvent(account_id=people.alice.account_id, action="signed_in", by="form")
            event.object_type, event.object_id = "User", people.alice.user_id
            event.created_at, event.address = start + timedelta(minutes=number), f"192.0.2.{number}"
            db.session.add(event)
        db.session.commit()
    alice = people.browser(people.alice)
    first = alice.get(PAGE)
    second = alice.get(str(first.find("a[rel=next]")["href"]))
    seen = rows(first) + rows(second)
    assert len(rows(first)) == sign_ins.PAGE_SIZE
    assert [row.rpartition(" ")[2] for row in seen] == [f"192.0.2.{n}" for n in range(52, -1, -1)]
    assert "Not noted" in seen[0]


def test_who_has_no_account_of_their_own_sees_the_platforms(planes: Planes, people: People) -> None:
    """A guest's sign-ins are in no account's log."""
    with planes.worker.app_context():
        profile = db.session.get_one(UserProfile, people.charlie.profile_id)
        profile.is_guest = True
        db.session.commit()
    browser = people.browser()
    sign_in(browser, PASSWORD, "charlie")
    page = browser.get(PAGE)
    assert len(rows(page)) == 1
    assert "Kept for" not in page.words
