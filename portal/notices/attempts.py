"""What comes of an attempt to send a webhook's message: done, again later, or given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from portal.database import db
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News, tell
from portal.notices.webhook_models import Webhook, WebhookDelivery

# After each failure in a row; a day in all.
PAUSES = (5, 60, 300, 1800, 3600 * 2, 3600 * 5, 3600 * 8, 3600 * 8)
OFF_AFTER, OFF_FAILURES = timedelta(days=3), 10
GONE = 410
LONGEST_ANSWER = 300
# So that a program that does not answer holds up nobody else's messages.
ONE_AT_A_TIME = timedelta(seconds=60)


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: with an answer, or with `trouble` in a sentence."""

    status: int | None = None
    answer: str = ""
    milliseconds: int | None = None
    trouble: str = ""
    is_final: bool = False

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def sentence(self) -> str:
        """Why it failed, in words."""
        if self.trouble or self.is_delivered:
            return self.trouble
        if self.status is not None and 300 <= self.status < 400:
            return f"It answered with {self.status}: redirects are not followed."
        return f"It answered with {self.status}."


def record(delivery: WebhookDelivery, outcome: Outcome, now: datetime, spread: float = 0) -> None:
    """Store it in a message that is locked, and in its webhook.

    `spread` (-1 to 1) moves the next attempt by up to a tenth of the pause.
    """
    webhook = _locked(delivery.webhook_id)
    delivery.attempt += 1
    delivery.broken_off = 0
    delivery.leased_until = None
    delivery.next_attempt_at = None
    delivery.status, delivery.answer = outcome.status, outcome.answer[:LONGEST_ANSWER]
    delivery.milliseconds, delivery.message = outcome.milliseconds, outcome.sentence[:1000]
    if outcome.is_delivered:
        delivery.delivered_at = now
        webhook.failing_since, webhook.failures = None, 0
        return
    if not outcome.is_final and delivery.attempt <= len(PAUSES):
        pause = PAUSES[delivery.attempt - 1] * (1 + spread / 10)
        delivery.next_attempt_at = now + timedelta(seconds=pause)
    webhook.failing_since = webhook.failing_since or now
    webhook.failures += 1
    _wait_with_others(delivery, now)
    if webhook.is_active and _is_hopeless(webhook, outcome, now):
        switch_off(webhook, _why(outcome), now)


def _locked(webhook_id: int) -> Webhook:
    query = select(Webhook).where(Webhook.id == webhook_id).with_for_update()
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def _wait_with_others(delivery: WebhookDelivery, now: datetime) -> None:
    """Other messages of a webhook that fails wait a minute, so that one is tried at a time."""
    later = now + ONE_AT_A_TIME
    db.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == delivery.webhook_id)
        .where(WebhookDelivery.id != delivery.id, WebhookDelivery.next_attempt_at < later)
        .where(WebhookDelivery.leased_until.is_(None))
        .values(next_attempt_at=later)
        .execution_options(synchronize_session=False)
    )


def _is_hopeless(webhook: Webhook, outcome: Outcome, now: datetime) -> bool:
    """It said that it is gone for good, or every attempt of three days failed."""
    if outcome.status == GONE:
        return True
    since = webhook.failing_since or now
    return now - since >= OFF_AFTER and webhook.failures >= OFF_FAILURES


def _why(outcome: Outcome) -> str:
    if outcome.status == GONE:
        return "It answered that it is gone for good (410)."
    return f"Every attempt of the last {OFF_AFTER.days} days failed. The last: {outcome.sentence}"


def switch_off(webhook: Webhook, reason: str, now: datetime) -> None:
    """The portal sends nothing to it any more, and tells the account's admins."""
    webhook.is_active, webhook.off_reason = False, reason[:255]
    stop_waiting(webhook)
    news = News(
        kind=Kind.WEBHOOK_OFF,
        level=Level.BAD,
        subject=f"The webhook {webhook.name} was switched off",
        text=f"{reason} Messages are not sent to it until somebody switches it on again.",
        path=f"/notifications/webhooks/{webhook.id}/",
        about=webhook,
        name=webhook.name,
    )
    tell(webhook.account_id, news, now)


def stop_waiting(webhook: Webhook) -> None:
    """Give up what waits to be sent to it."""
    db.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook.id)
        .where(WebhookDelivery.next_attempt_at.is_not(None))
        .values(next_attempt_at=None, message="The webhook was switched off.")
        .execution_options(synchronize_session=False)
    )
