"""The Authorization header that a receiver wants: sent, never shown, kept to its host."""

from __future__ import annotations

import pytest

from portal.accounts.models import AuditEvent
from portal.database import db, utc_now
from portal.notices import webhooks
from portal.notices.webhook_models import Webhook, WebhookDelivery
from portal.notifications import webhook_jobs
from portal.vault import named
from tests.notifications.webhook_receiver import Receiver
from tests.people import Browser, People

HEADER = "Bearer t0ken-of-the-receiver"
NEW = "/notifications/webhooks/new"


@pytest.fixture
def alice(people: People, database: None) -> Browser:
    return people.browser(people.alice)


def made(alice: Browser, receiver: Receiver, authorization: str) -> tuple[str, dict[str, object]]:
    """The path of a webhook with this header, and what its form was sent."""
    values: dict[str, object] = {"name": "Room", "url": receiver.url, "kinds": ["domain.failing"]}
    page = alice.post(NEW, {**values, "authorization": authorization}, expected=200)
    receiver.secret = page.find("pre.code").get_text()
    assert HEADER not in page.text
    number = db.session.scalars(db.select(Webhook.id)).one()
    db.session.rollback()
    return f"/notifications/webhooks/{number}/", values


def send_test(alice: Browser, path: str) -> None:
    """A test message was sent."""
    alice.post(path + "test")
    for ring in list(webhook_jobs.due_deliveries(utc_now())):
        webhook_jobs.send_delivery(*ring.arguments)
    db.session.rollback()


def became() -> list[str]:
    """What became of the header, change by change."""
    events = db.session.scalars(db.select(AuditEvent).order_by(AuditEvent.id)).all()
    db.session.rollback()
    assert HEADER not in str([(event.before, event.after) for event in events])
    return [
        event.after["authorization"]
        for event in events
        if event.after and event.action in ("webhook_created", "webhook_changed")
    ]


def test_the_header_is_sent_kept_and_removed_and_never_shown(
    alice: Browser, receiver: Receiver
) -> None:
    path, values = made(alice, receiver, HEADER)
    sealed = db.session.scalars(db.select(Webhook.sealed_authorization)).one()
    db.session.rollback()
    assert sealed
    assert HEADER not in sealed
    send_test(alice, path)
    alice.post(path + "edit", {**values, "name": "Another room"})
    send_test(alice, path)
    alice.post(path + "edit", {**values, "removes_authorization": "y"})
    send_test(alice, path)
    assert receiver.authorizations == [HEADER, HEADER, None]
    assert became() == ["replaced", "kept", "removed"]
    for page in (path, path + "edit"):
        assert HEADER not in alice.get(page).text
    assert "Authorization header None" in alice.get(path).words


def test_a_named_secret_stands_for_it_and_may_be_replaced(
    alice: Browser, receiver: Receiver, people: People
) -> None:
    secret = named.make(people.alice.account_id, "room", HEADER)
    db.session.commit()
    path, _ = made(alice, receiver, "secret:room")
    send_test(alice, path)
    named.replace(secret, "Basic bmV3")
    db.session.commit()
    send_test(alice, path)
    assert receiver.authorizations == [HEADER, "Basic bmV3"]
    page = alice.get(f"/secrets/{secret.id}/")
    assert "Webhook Room" in page.words


def test_a_header_whose_secret_is_gone_is_told_at_the_message(
    alice: Browser, receiver: Receiver, people: People
) -> None:
    secret = named.make(people.alice.account_id, "room", HEADER)
    db.session.commit()
    path, _ = made(alice, receiver, "secret:room")
    db.session.delete(secret)
    db.session.commit()
    send_test(alice, path)
    assert receiver.authorizations == []
    assert "There is no secret named room." in alice.get(path).words


def test_the_stored_header_goes_to_no_other_host(alice: Browser, receiver: Receiver) -> None:
    path, values = made(alice, receiver, HEADER)
    moved = {**values, "url": "https://elsewhere.example/hook"}
    page = alice.post(path + "edit", moved, expected=422)
    assert "Enter it again: the stored one is for another address." in page.words
    assert page.values()["url"] == moved["url"]
    alice.post(path + "edit", {**values, "url": receiver.url + "/another/path"})
    alice.post(path + "edit", {**moved, "authorization": "Bearer another"})
    webhook = db.session.scalars(db.select(Webhook)).one()
    assert webhooks.authorization_of(webhook) == "Bearer another"
    assert became() == ["replaced", "kept", "replaced"]


def test_an_answer_that_repeats_it_is_kept_without_it(alice: Browser, receiver: Receiver) -> None:
    receiver.answers = lambda: (200, f"{HEADER} or {HEADER.split()[1]}".encode())
    path, _ = made(alice, receiver, HEADER)
    send_test(alice, path)
    assert db.session.scalars(db.select(WebhookDelivery.answer)).one() == "*** or ***"
