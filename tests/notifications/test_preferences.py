"""Each person chooses how to be told; mails about security are not theirs to switch off."""

from __future__ import annotations

from portal.accounts.models import AuditEvent
from portal.database import db
from portal.notices.kinds import Kind, Way
from portal.notices.models import NoticePreference
from tests.notifications.conftest import Tell, mails
from tests.people import People

PATH = "/account/notifications"


def stored() -> dict[Kind, Way]:
    found = {one.kind: one.way for one in db.session.scalars(db.select(NoticePreference))}
    db.session.rollback()
    return found


def test_what_is_chosen_holds_and_can_be_taken_back(told: Tell, people: People) -> None:
    browser = people.browser(people.alice)
    values = browser.get(PATH).values()
    browser.post(PATH, {**values, "way_domain_failing": "portal"})
    assert stored() == {Kind.DOMAIN_FAILING: Way.PORTAL}
    told()
    assert mails() == []
    db.session.rollback()
    values = browser.get(PATH).values()
    assert values["way_domain_failing"] == "portal"
    browser.post(PATH, {**values, "way_domain_failing": "usual"})
    assert stored() == {}
    told()
    assert len(mails()) == 1
    events = db.session.scalars(
        db.select(AuditEvent).filter_by(action="notice_preferences_changed").order_by(AuditEvent.id)
    ).all()
    assert [event.after for event in events] == [{"domain.failing": "portal"}, {}]


def test_saving_without_a_choice_changes_nothing_of_what_is_usual(
    told: Tell, people: People
) -> None:
    browser = people.browser(people.bob)
    browser.post(PATH, browser.get(PATH).values())
    assert stored() == {}
    told(concerned=(people.bob.user_id,))
    assert people.bob.user_id in [mail.user_id for mail in mails()]


def test_security_cannot_be_switched_off(database: None, people: People) -> None:
    browser = people.browser(people.alice)
    page = browser.get(PATH)
    assert "way_key_used_elsewhere" not in page.values()
    assert "You signed in from a new browser or network" in page.words
    browser.post(PATH, {**page.values(), "way_key_used_elsewhere": "nothing"})
    assert stored() == {}


def test_a_way_that_there_is_not_is_refused(database: None, people: People) -> None:
    browser = people.browser(people.alice)
    values = {**browser.get(PATH).values(), "way_domain_lost": "pigeon"}
    assert "Not a valid choice" in browser.post(PATH, values, expected=422).words
    assert stored() == {}


def test_each_role_is_told_what_is_usual_for_it(database: None, people: People) -> None:
    admin = people.browser(people.alice).get(PATH).words
    member = people.browser(people.bob).get(PATH)
    assert "As usual: by mail By mail and in the portal" in admin
    assert "by mail if you began it" in member.words
    assert "webhook" not in member.words.lower()
