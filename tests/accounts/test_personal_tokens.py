"""A person’s tokens for the API: made after the password, shown once, revoked, over in time."""

from __future__ import annotations

from portal.accounts.models import AuditEvent
from portal.database import db, declare_writes, utc_now
from portal.people import personal_tokens
from portal.people.models import PersonalToken
from tests.people import PASSWORD, Browser, Page, People

WISH = {"name": "nightly", "may_write": "write", "days": "30", "current": PASSWORD}


def make(browser: Browser, expected: int = 200, **changes: str) -> Page:
    return browser.post("/account/tokens", {**WISH, **changes}, expected)


def text_of(page: Page) -> str:
    return page.find("pre").get_text()


def test_a_token_is_shown_once_and_kept_as_a_hash(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    text = text_of(make(alice))
    later = alice.get("/account/tokens")
    assert text not in later.text
    assert "nightly" in later.words
    assert "Reads and changes. Expires" in later.words
    declare_writes(False)
    found = personal_tokens.opened(text, utc_now())
    assert found is not None
    assert (found.may_write, found.profile.id) == (True, people.alice.profile_id)
    assert text not in repr(db.session.execute(db.select(PersonalToken.__table__)).all())
    [event] = db.session.scalars(
        db.select(AuditEvent).where(AuditEvent.action == "personal_token_made")
    )
    assert event.after == {"prefix": found.prefix, "may_write": True}


def test_it_wants_the_present_password_and_a_name(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    assert "not your present password" in make(alice, 422, current="wrong").words
    assert "Give the token a name." in make(alice, 422, name=" ").words
    assert "Not a valid choice" in make(alice, 422, days="9999").words
    assert db.session.scalars(db.select(PersonalToken)).all() == []


def test_a_revoked_token_opens_nothing(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    text = text_of(make(alice))
    row_path = alice.get("/account/tokens").find("a[href$=revoke]")["href"]
    assert "nightly" in alice.get(str(row_path)).words
    assert "is revoked" in alice.follow(alice.post(str(row_path))).words
    declare_writes(False)
    assert personal_tokens.opened(text, utc_now()) is None


def test_nobody_sees_or_revokes_another_ones(people: People, database: None) -> None:
    make(people.browser(people.alice))
    bob = people.browser(people.bob)
    assert "nightly" not in bob.get("/account/tokens").words
    number = db.session.scalars(db.select(PersonalToken.id)).one()
    db.session.rollback()
    bob.get(f"/account/tokens/{number}/revoke", 404)
    bob.post(f"/account/tokens/{number}/revoke", expected=404)


def test_who_was_removed_and_comes_back_has_none(people: People, database: None) -> None:
    text = text_of(make(people.browser(people.bob)))
    people.browser(people.alice).post(f"/users/{people.bob.profile_id}/remove")
    declare_writes(False)
    row = db.session.scalars(db.select(PersonalToken)).one()
    row.profile.removed_at = None
    with db.session.no_autoflush:
        assert personal_tokens.opened(text, utc_now()) is None
    db.session.rollback()


def test_there_are_only_so_many(people: People) -> None:
    alice = people.browser(people.alice)
    for _ in range(personal_tokens.MOST):
        make(alice)
    assert "You have 20 tokens here." in make(alice, 422).words
