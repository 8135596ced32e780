"""Webhooks: signed messages to a real program, tried again, logged, given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import current_app

from portal.accounts.models import AuditEvent
from portal.database import db, utc_now
from portal.notices import attempts, webhooks
from portal.notices.attempts import PAUSES, Outcome
from portal.notices.kinds import Kind
from portal.notices.models import Notice
from portal.notices.webhook_models import Webhook, WebhookDelivery
from portal.notifications import webhook_jobs
from tests.notifications.conftest import NOON, Tell, mails
from tests.notifications.webhook_receiver import Receiver
from tests.people import People

Make = Callable[..., Webhook]
DAY = timedelta(days=1)


@pytest.fixture
def make(database: None, people: People, receiver: Receiver) -> Make:
    """A webhook of Birkenhof that leads to the receiver, which knows its secret."""

    def made(*kinds: Kind, url: str = "") -> Webhook:
        wanted = [kind.value for kind in kinds or (Kind.DOMAIN_FAILING,)]
        webhook, receiver.secret = webhooks.make(
            people.alice.account_id, "Our chat room", url or receiver.url + "/hook", wanted
        )
        db.session.commit()
        db.session.expunge(webhook)
        return webhook

    return made


def deliveries() -> list[WebhookDelivery]:
    """The log as it stands, in nobody's transaction."""
    found = list(newly_read())
    db.session.expunge_all()
    db.session.rollback()
    return found


def newly_read() -> list[WebhookDelivery]:
    """The same, to be changed."""
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(db.select(WebhookDelivery).order_by(WebhookDelivery.id)))


def stands(webhook: Webhook) -> Webhook:
    """A webhook as it is stored now."""
    db.session.rollback()
    found = db.session.get_one(Webhook, webhook.id, populate_existing=True)
    db.session.expunge(found)
    db.session.rollback()
    return found


def make_due() -> None:
    db.session.execute(
        db.update(WebhookDelivery)
        .where(WebhookDelivery.next_attempt_at.is_not(None))
        .values(next_attempt_at=utc_now())
    )
    db.session.commit()


def send_all() -> None:
    """What the worker would do now."""
    for ring in list(webhook_jobs.due_deliveries(utc_now())):
        webhook_jobs.send_delivery(*ring.arguments)
    db.session.rollback()


def test_a_notice_is_sent_signed_and_logged(
    make: Make, told: Tell, receiver: Receiver, people: People
) -> None:
    webhook = make()
    notice = told(utc_now())
    assert notice
    notice_id = notice.id
    send_all()
    [message] = receiver.taken
    assert message["type"] == "domain.failing"
    assert message["data"]["subject"] == "lakeside.example does not pass its checks any more"
    assert message["data"]["notice_id"] == notice_id
    assert message["data"]["level"] == "failed"
    [delivery] = deliveries()
    assert delivery.message_id == receiver.ids[0]
    page = people.browser(people.alice).get(f"/notifications/webhooks/{webhook.id}/")
    assert "Delivered" in page.words
    assert "204" in page.words


def test_only_what_it_wants_and_only_its_own_accounts(
    make: Make, told: Tell, receiver: Receiver, people: People
) -> None:
    own = make(Kind.BUDGET_USED_UP)
    wanted = [Kind.DOMAIN_FAILING.value, Kind.BUDGET_USED_UP.value]
    webhooks.make(people.charlie.account_id, "Elsewhere", receiver.url, wanted)
    db.session.commit()
    told()
    told(kind=Kind.NEW_SIGN_IN, only_for=people.bob.user_id)
    assert deliveries() == []
    told(kind=Kind.BUDGET_USED_UP)
    assert [one.webhook_id for one in deliveries()] == [own.id]


def test_what_was_rolled_back_is_sent_to_nobody(make: Make, people: People) -> None:
    webhook = make()
    webhooks.deliver_test(webhook, NOON)
    db.session.rollback()
    assert deliveries() == []


def test_sending_twice_at_once_sends_one_message(
    make: Make, told: Tell, receiver: Receiver
) -> None:
    make()
    told(utc_now())
    [delivery] = deliveries()
    for _ in range(3):
        webhook_jobs.send_delivery(delivery.id)
    assert len(receiver.taken) == 1


def test_a_worker_that_is_killed_while_it_sends_sends_the_same_message_again(
    make: Make, told: Tell, receiver: Receiver
) -> None:
    make()
    told(utc_now())
    [delivery] = deliveries()
    body = delivery.body
    webhook_jobs.send_delivery(delivery.id)
    [delivery] = newly_read()
    delivery.delivered_at, delivery.next_attempt_at = None, utc_now()  # as if it stored nothing
    db.session.commit()
    send_all()
    assert receiver.ids == [delivery.message_id] * 2
    assert deliveries()[0].body == body


def test_what_is_not_taken_is_tried_again_and_says_why(
    make: Make, told: Tell, receiver: Receiver, people: People
) -> None:
    webhook = make()
    receiver.answers = lambda: (500, b"no room \x00\x1b[31m today")
    told(utc_now())
    send_all()
    [delivery] = deliveries()
    assert delivery.next_attempt_at is not None
    assert delivery.message == "It answered with 500."
    assert delivery.answer == "no room [31m today"
    words = people.browser(people.alice).get(f"/notifications/webhooks/{webhook.id}/").words
    assert "Messages are not taken" in words
    receiver.answers = lambda: (200, b"ok")
    make_due()
    send_all()
    assert len(receiver.taken) == 1
    assert deliveries()[0].attempt == 2
    assert stands(webhook).failing_since is None


def test_a_redirect_is_not_followed(make: Make, told: Tell, receiver: Receiver) -> None:
    make()
    receiver.answers = lambda: (302, b"")
    told(utc_now())
    send_all()
    assert deliveries()[0].message == "It answered with 302: redirects are not followed."
    assert len(receiver.asked) == 1


def test_a_long_answer_is_cut_and_secrets_in_it_are_not_kept(
    make: Make, told: Tell, receiver: Receiver
) -> None:
    make()
    receiver.answers = lambda: (200, f"secret {receiver.secret} ".encode() + b"x" * 900_000)
    told(utc_now())
    send_all()
    [delivery] = deliveries()
    assert delivery.delivered_at is not None
    assert delivery.answer.startswith("secret *** x")
    assert len(delivery.answer) <= attempts.LONGEST_ANSWER


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "https://localhost/", "https://10.0.0.1/"])
def test_an_address_of_the_inside_is_never_asked_unless_the_operator_allows_it(
    url: str, make: Make, told: Tell
) -> None:
    make(url=url)
    told(utc_now())
    settings = current_app.extensions["portal_settings"]
    current_app.extensions["portal_settings"] = replace(settings, allow_private_addresses=False)
    try:
        send_all()
    finally:
        current_app.extensions["portal_settings"] = settings
    [delivery] = deliveries()
    assert delivery.status is None
    assert delivery.next_attempt_at is None
    assert delivery.message in (
        "This address cannot be used.",
        "This address is not on the public internet.",
    )


def test_nobody_there_is_tried_again(make: Make, told: Tell) -> None:
    make(url="http://127.0.0.1:1/")
    told(utc_now())
    send_all()
    [delivery] = deliveries()
    assert delivery.message == "It cannot be reached at its address."
    assert delivery.next_attempt_at is not None


def test_a_message_is_tried_for_about_a_day(make: Make, told: Tell) -> None:
    make()
    told()
    [delivery] = newly_read()
    now = NOON
    for _ in range(50):
        attempts.record(delivery, Outcome(status=500), now)
        if delivery.next_attempt_at is None:
            break
        now = delivery.next_attempt_at
    assert timedelta(hours=22) < now - NOON < timedelta(hours=26)
    assert delivery.attempt == len(PAUSES) + 1


def test_a_webhook_that_failed_for_days_is_switched_off_and_the_admins_are_told(
    make: Make, told: Tell, people: People
) -> None:
    webhook = make()
    for hours in range(0, 100, 6):
        told(NOON + timedelta(hours=hours))
        newest = newly_read()[-1]
        attempts.record(newest, Outcome(status=500), NOON + timedelta(hours=hours))
        db.session.commit()
        if not stands(webhook).is_active:
            break
    assert hours == 72
    assert all(one.next_attempt_at is None for one in deliveries())
    notice = db.session.scalars(db.select(Notice).where(Notice.kind == Kind.WEBHOOK_OFF)).one()
    assert notice.path == f"/notifications/webhooks/{webhook.id}/"
    assert mails()[-1].user_id == people.alice.user_id
    before = len(deliveries())
    told(NOON + 5 * DAY)
    assert len(deliveries()) == before


def test_one_that_says_it_is_gone_is_switched_off_at_once(
    make: Make, told: Tell, receiver: Receiver
) -> None:
    webhook = make()
    receiver.answers = lambda: (410, b"")
    told(utc_now())
    send_all()
    assert not stands(webhook).is_active
    assert "gone for good" in stands(webhook).off_reason


def test_a_few_failures_long_apart_switch_nothing_off(make: Make, told: Tell) -> None:
    webhook = make()
    for days in (0, 4):
        told(NOON + days * DAY)
        attempts.record(newly_read()[-1], Outcome(status=500), NOON + days * DAY)
        db.session.commit()
    assert stands(webhook).is_active


def test_while_one_fails_the_others_wait_a_minute(
    make: Make, told: Tell, receiver: Receiver
) -> None:
    make()
    receiver.answers = lambda: (503, b"")
    for _ in range(5):
        told(utc_now())
    send_all()
    assert len(receiver.asked) == 1
    receiver.answers = lambda: (200, b"")
    make_due()
    send_all()
    assert len(receiver.taken) == 5


def test_pages_make_change_rotate_and_delete_it(
    people: People, receiver: Receiver, database: None
) -> None:
    browser = people.browser(people.alice)
    values = {"name": "Room", "url": receiver.url, "kinds": ["domain.failing"]}
    page = browser.post("/notifications/webhooks/new", values, expected=200)
    receiver.secret = page.find("pre.code").get_text()
    webhook = stands(Webhook(id=db.session.scalars(db.select(Webhook.id)).one()))
    path = f"/notifications/webhooks/{webhook.id}/"
    assert receiver.secret not in browser.get(path).text
    assert receiver.secret not in webhook.sealed_secret
    browser.post(path + "test")
    send_all()
    assert [message["type"] for message in receiver.taken] == ["test"]
    old = receiver.secret
    receiver.secret = browser.post(path + "rotate", expected=200).find("pre.code").get_text()
    assert receiver.secret != old
    for secret in (receiver.secret, old):
        receiver.secret = secret
        browser.post(path + "test")
        send_all()
    assert len(receiver.taken) == 3
    browser.post(path + "edit", {**values, "name": "Another room"})
    assert "Another room" in browser.get(path).words
    browser.post(path + "delete")
    browser.get(path, 404)
    assert deliveries() == []
    events = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)).all()
    assert [event.action for event in events if event.action.startswith("webhook")] == [
        "webhook_created",
        "webhook_tested",
        "webhook_secret_rotated",
        "webhook_tested",
        "webhook_tested",
        "webhook_changed",
        "webhook_deleted",
    ]
    assert "whsec_" not in str([(event.before, event.after) for event in events])


def test_off_and_on_again(make: Make, told: Tell, receiver: Receiver, people: People) -> None:
    webhook = make()
    told(utc_now())
    browser, path = people.browser(people.alice), f"/notifications/webhooks/{webhook.id}/"
    browser.post(path + "switch", {"on": "no"})
    assert deliveries()[0].next_attempt_at is None
    browser.post(path + f"deliveries/{deliveries()[0].id}/send")
    send_all()
    assert receiver.asked == []
    browser.post(path + "switch", {"on": "yes"})
    browser.post(path + f"deliveries/{deliveries()[0].id}/send")
    send_all()
    assert len(receiver.taken) == 1
    browser.post(path + f"deliveries/{deliveries()[0].id}/send")
    send_all()
    assert receiver.ids == [deliveries()[0].message_id] * 2, "the same message, sent again"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": " "}, "Give the webhook a name."),
        ({"url": "ftp://example.com"}, "Must be an address on the public internet"),
        ({"url": "https://user:word@example.com/"}, "Must be an address on the public internet"),
        ({"url": "https://exa mple.com/"}, "Must be an address without spaces."),
        ({"kinds": []}, "Choose at least one."),
        ({"authorization": "Bearer schlüssel"}, "Use letters, digits and signs of ASCII only."),
        ({"authorization": "Bearer a\nX-B: c"}, "Use letters, digits and signs of ASCII only."),
        ({"authorization": "secret:nowhere"}, "There is no secret named nowhere."),
        ({"kinds": ["sign_in.new"]}, "not a valid choice"),
    ],
)
def test_mistakes_are_told_and_what_was_typed_stays(
    wrong: dict[str, object], sentence: str, people: People
) -> None:
    values = {"name": "Room", "url": "https://example.com/hook", "kinds": ["domain.failing"]}
    browser = people.browser(people.alice)
    page = browser.post("/notifications/webhooks/new", {**values, **wrong}, expected=422)
    assert sentence in page.words
    assert page.values()["name"] == wrong.get("name", "Room").strip()  # type: ignore[attr-defined]


def test_an_account_has_at_most_twenty(make: Make, people: People) -> None:
    for _ in range(webhooks.MOST_OF_AN_ACCOUNT):
        make()
    values = {"name": "Room", "url": "https://example.com/hook", "kinds": ["domain.failing"]}
    browser = people.browser(people.alice)
    page = browser.post("/notifications/webhooks/new", values, expected=422)
    assert "at most 20 webhooks" in page.words


def test_tests_are_sent_ten_at_a_time(make: Make, people: People) -> None:
    webhook = make()
    browser = people.browser(people.alice)
    for _ in range(12):
        browser.post(f"/notifications/webhooks/{webhook.id}/test")
    assert len(deliveries()) == 10


def test_only_admins_have_to_do_with_them(make: Make, people: People) -> None:
    webhook = make()
    for person in (people.bob, people.vera):
        browser = people.browser(person)
        browser.get("/notifications/webhooks/", 403)
        browser.get(f"/notifications/webhooks/{webhook.id}/", 403)
        assert "Webhooks" not in browser.get("/notifications/").words
    people.browser(people.charlie).get(f"/notifications/webhooks/{webhook.id}/", 404)
