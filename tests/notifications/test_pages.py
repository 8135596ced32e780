"""The bell, the list of notices, and what a person has seen."""

from __future__ import annotations

from portal.accounts.models import UserProfile
from portal.database import db
from portal.notices.kinds import Kind, Way
from portal.notices.models import NoticePreference, SeenNotice
from tests.notifications.conftest import NOON, Tell
from tests.people import People, Person


def bell(people: People, person: Person) -> str:
    return str(people.browser(person).get("/limits/").find("a.bell")["aria-label"])


def came_before(people: People) -> None:
    """Everybody was there before noon."""
    for profile in db.session.scalars(db.select(UserProfile)):
        profile.created_at = NOON
    db.session.commit()


def test_the_bell_says_how_many_are_new_to_whom(told: Tell, people: People) -> None:
    came_before(people)
    told()
    told(kind=Kind.NEW_SIGN_IN, only_for=people.bob.user_id)
    assert bell(people, people.alice) == "Notifications, 1 new"
    assert bell(people, people.bob) == "Notifications, 2 new"
    assert bell(people, people.charlie) == "Notifications, none new"


def test_one_is_marked_and_then_all(told: Tell, people: People) -> None:
    came_before(people)
    first, last = told(subject="First"), told(subject="Last")
    assert first and last  # noqa: PT018 - for the types
    browser = people.browser(people.vera)
    for _ in range(2):
        browser.post(f"/notifications/{first.id}/seen", {"show": "new"})
    page = browser.get("/notifications/?show=new")
    assert "Last" in page.words
    assert "First" not in page.words
    told(subject="Came meanwhile")
    browser.post("/notifications/seen", page.values("form[action$='/notifications/seen']"))
    words = browser.get("/notifications/?show=new").words
    assert "Came meanwhile" in words
    assert "Last" not in words
    assert db.session.scalars(db.select(SeenNotice)).all() == []
    assert bell(people, people.alice) == "Notifications, 3 new"


def test_what_a_person_does_not_want_is_not_shown(told: Tell, people: People) -> None:
    came_before(people)
    db.session.add(
        NoticePreference(user_id=people.bob.user_id, kind=Kind.DOMAIN_FAILING, way=Way.NOTHING)
    )
    db.session.commit()
    told()
    assert bell(people, people.bob) == "Notifications, none new"
    assert "lakeside.example" not in people.browser(people.bob).get("/notifications/").words
    assert "lakeside.example" in people.browser(people.vera).get("/notifications/").words


def test_what_is_for_admins_is_shown_to_admins(told: Tell, people: People) -> None:
    notice = told(kind=Kind.WEBHOOK_OFF, subject="The webhook was switched off")
    assert notice
    assert "switched off" in people.browser(people.alice).get("/notifications/").words
    assert "switched off" not in people.browser(people.bob).get("/notifications/").words
    people.browser(people.bob).post(f"/notifications/{notice.id}/seen", expected=404)
    people.browser(people.charlie).post(f"/notifications/{notice.id}/seen", expected=404)


def test_older_ones_are_on_the_next_page(told: Tell, people: People) -> None:
    for number in range(32):
        told(subject=f"Notice {number:02}")
    browser = people.browser(people.alice)
    first = browser.get("/notifications/")
    assert "Notice 31" in first.words
    assert "Notice 01" not in first.words
    older = browser.get(str(first.find("a[rel=next]")["href"]))
    assert "Notice 01" in older.words


def test_a_number_that_is_none_is_refused(people: People) -> None:
    browser = people.browser(people.alice)
    for number in ("", "x", "-1", str(2**63)):
        browser.post("/notifications/seen", {"up_to": number}, expected=400)


def test_markup_in_a_notice_stays_text(told: Tell, people: People) -> None:
    told(subject="<b>bold</b>", text="<script>alert(1)</script>")
    page = people.browser(people.alice).get("/notifications/")
    assert "<b>bold</b>" in page.words
    assert "<script>alert(1)</script>" not in page.text
