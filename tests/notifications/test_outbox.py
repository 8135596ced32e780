"""The outbox: which mails were written, whether they left, and one more try."""

from __future__ import annotations

from portal.accounts.mails import Mail
from portal.accounts.models import AuditEvent, User
from portal.database import db, utc_now
from portal.people import letters
from tests.notifications.conftest import Tell, mails
from tests.people import People
from tests.post_office import PostOffice


def addressed(people: People) -> None:
    db.session.get_one(User, people.alice.user_id).email = "alice@example.com"
    db.session.commit()


def failed_mail(people: People, told: Tell) -> Mail:
    addressed(people)
    told()
    [mail] = mails()
    mail.next_attempt_at, mail.attempt = None, 3
    mail.message = "The mail server refused the address."
    db.session.commit()
    return mail


def test_a_mail_that_failed_says_why_and_is_tried_again(
    told: Tell, people: People, post_office: PostOffice
) -> None:
    mail = failed_mail(people, told)
    browser = people.browser(people.alice)
    words = browser.get("/notifications/mails").words
    assert "The mail server refused the address. Tried 3 times." in words
    browser.post(f"/notifications/mails/{mail.id}/send")
    assert [letter.to for letter in post_office.deliver()] == ["alice@example.com"]
    assert "Sent" in browser.get("/notifications/mails").words
    [event] = db.session.scalars(db.select(AuditEvent).filter_by(action="mail_tried_again"))
    assert event.object_name == mail.subject


def test_one_that_left_is_not_sent_twice(
    told: Tell, people: People, post_office: PostOffice
) -> None:
    mail = failed_mail(people, told)
    browser = people.browser(people.alice)
    for _ in range(2):
        browser.post(f"/notifications/mails/{mail.id}/send")
        post_office.deliver()
    assert len(post_office.taken) == 1


def test_one_whose_link_is_gone_is_not_sent_without_it(
    told: Tell, people: People, post_office: PostOffice
) -> None:
    mail = letters.put_into_outbox(
        account_id=people.alice.account_id,
        user_id=people.alice.user_id,
        address="alice@example.com",
        subject="A new password",
        text="Follow {link}",
        now=utc_now(),
    )
    mail.next_attempt_at = None
    db.session.commit()
    browser = people.browser(people.alice)
    browser.post(f"/notifications/mails/{mail.id}/send")
    assert "Have a new one sent" in browser.get("/notifications/mails").words
    assert post_office.deliver() == []


def test_others_than_admins_see_their_own_mails_only(told: Tell, people: People) -> None:
    told(concerned=(people.bob.user_id,))
    to_bob = mails()[1]
    bob = people.browser(people.bob)
    words = bob.get("/notifications/mails").words
    assert "To bob" in words
    assert "To alice" not in words
    bob.post(f"/notifications/mails/{to_bob.id}/send", expected=403)
    people.browser(people.charlie).post(f"/notifications/mails/{to_bob.id}/send", expected=404)
    assert "To bob" in people.browser(people.alice).get("/notifications/mails").words
