"""What is kept of the history, and webhooks, as manifests: the rules and events of their pages."""

from __future__ import annotations

from portal.accounts.models import Account, AuditEvent
from portal.database import db
from portal.notices import webhooks
from portal.notices.webhook_models import Webhook
from portal.vault import named
from tests.manifests.applied import applied, planned
from tests.manifests.test_kinds import one
from tests.people import People

HISTORY = """apiVersion: portal/v1
kind: History
spec: {bodiesDays: 20, rowsDays: 90, hide: [mail, card], ownWords: [Project Heron]}
"""
WEBHOOK = """apiVersion: portal/v1
kind: Webhook
metadata: {name: orders}
spec: {url: "http://127.0.0.1:9/told", kinds: [deployment.done, deployment.failed]}
"""


def events() -> list[str]:
    query = db.select(AuditEvent.action).where(AuditEvent.by == "manifest")
    return list(db.session.scalars(query.order_by(AuditEvent.id)))


def test_what_is_kept_is_changed_by_the_rules_of_its_page(people: People, database: None) -> None:
    alice = people.browser(people.alice)
    assert "gone within an hour" in planned(alice, HISTORY).words
    applied(alice, HISTORY)
    account = one(Account, id=people.alice.account_id)
    assert (account.request_bodies_days, account.request_rows_days) == (20, 90)
    assert account.redaction == {"kinds": ["mail", "card"], "own": ["Project Heron"]}
    assert events() == ["keeping changed"]
    assert "Stays as it is" in planned(alice, HISTORY).words
    shorter = HISTORY.replace("rowsDays: 90", "rowsDays: 10")
    assert "at least as long as what was said is kept" in planned(alice, shorter, 422).words
    assert "Only admins" in planned(people.browser(people.bob), HISTORY, 422).words


def test_a_webhook_is_made_changed_and_switched_without_its_secret(
    people: People, database: None
) -> None:
    alice = people.browser(people.alice)
    page = planned(alice, WEBHOOK)
    assert "a signing secret, which is shown once" in page.words
    made = alice.post("/manifests/apply", page.values("#what-would-change form"), 200)
    webhook = one(Webhook, name="orders")
    [secret] = webhooks.secrets_of(webhook, webhook.created_at)
    assert made.find("pre").get_text() == secret
    assert secret not in alice.get("/manifests/").text
    assert webhook.kinds == ["deployment.done", "deployment.failed"]
    text = alice.get("/manifests/export").text
    assert "kind: Webhook" in text
    assert secret not in text
    assert "as before" in planned(alice, text).words
    applied(alice, WEBHOOK.replace("spec: {", "spec: {active: false, ").replace("/told", "/new"))
    webhook = one(Webhook, name="orders")
    assert (webhook.url, webhook.is_active) == ("http://127.0.0.1:9/new", False)
    assert webhooks.secrets_of(webhook, webhook.created_at) == [secret]
    assert events() == ["webhook_created", "webhook_changed", "webhook_switched_off"]
    unknown = WEBHOOK.replace("deployment.done", "sign_in.new")
    assert "not a valid choice" in planned(alice, unknown, 422).words


def test_a_webhook_names_the_secret_with_its_header(people: People, database: None) -> None:
    alice, wanted = (
        people.browser(people.alice),
        WEBHOOK.replace("spec: {", "spec: {authorizationSecret: room, "),
    )
    assert "The account has no secret named room." in planned(alice, wanted, 422).words
    named.make(people.alice.account_id, "room", "Bearer t0ken")
    db.session.commit()
    page = planned(alice, wanted)
    alice.post("/manifests/apply", page.values("#what-would-change form"), 200)
    assert webhooks.authorization_of(one(Webhook, name="orders")) == "Bearer t0ken"
    text = alice.get("/manifests/export").text
    assert "authorizationSecret: room" in text
    assert "t0ken" not in text
    assert "as before" in planned(alice, text).words
    applied(alice, WEBHOOK.replace("spec: {", "spec: {active: false, "))
    assert webhooks.authorization_of(one(Webhook, name="orders")) == "Bearer t0ken"


def test_two_webhooks_of_one_name_are_told_apart_first(people: People, database: None) -> None:
    for _ in range(2):
        webhooks.make(people.alice.account_id, "orders", "http://127.0.0.1:9/", ["report.monthly"])
    db.session.commit()
    words = planned(people.browser(people.alice), WEBHOOK, 422).words
    assert "several webhooks of this name" in words
