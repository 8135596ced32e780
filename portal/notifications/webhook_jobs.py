"""Sending messages to webhooks, one attempt at a time, through the guarded client."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime

from portal.database import current_settings, db, utc_now
from portal.errors import AdapterError
from portal.fetching import fetch
from portal.job_queue import Ring, claim, job, rings_of, still_ours, sweep
from portal.notices import attempts, signing, webhooks
from portal.notices.attempts import LONGEST_ANSWER, Outcome
from portal.notices.webhook_models import WebhookDelivery
from portal.vault import tokens
from portal.vault.sealing import SealError

MOST_AT_ONCE = 50
SECONDS = 8.0


@sweep
def due_deliveries(now: datetime) -> Iterator[Ring]:
    """Messages that may be sent now."""
    yield from rings_of(WebhookDelivery, send_delivery, now, most=MOST_AT_ONCE)


@job
def send_delivery(delivery_id: int) -> None:
    """One attempt. A worker that is killed in it sends the same message again, with the same id."""
    now = utc_now()
    delivery = claim(WebhookDelivery, delivery_id, now)
    if delivery is None:
        db.session.rollback()
        return
    generation, url = delivery.generation, delivery.webhook.url
    body, message_id = delivery.body.encode(), delivery.message_id
    try:
        in_use = webhooks.secrets_of(delivery.webhook, now)
        authorization = webhooks.authorization_of(delivery.webhook)
    except SealError as error:
        outcome = Outcome(trouble=error.public_message, is_final=True)
    else:
        db.session.rollback()  # no transaction is open while it answers
        outcome = attempt(url, in_use, message_id, body, now, authorization)
    found = still_ours(WebhookDelivery, delivery_id, generation)
    if found is not None:
        spread = random.uniform(-1, 1)  # noqa: S311 - jitter
        attempts.record(found, outcome, utc_now(), spread)
    db.session.commit()


def attempt(
    url: str,
    secrets_in_use: list[str],
    message_id: str,
    body: bytes,
    now: datetime,
    authorization: str = "",
) -> Outcome:
    """Ask once; every way in which that ends is an outcome."""
    headers = signing.headers(secrets_in_use, message_id, body, now)
    if authorization:
        headers["authorization"] = authorization
    allowed, started = current_settings().allow_private_addresses, time.monotonic()
    try:
        answer = fetch(
            "POST",
            url,
            allow_private=allowed,
            headers=headers,
            body=body,
            seconds=SECONDS,
            longest=4 * LONGEST_ANSWER,
            cut=True,
        )
    except AdapterError as error:
        return Outcome(trouble=error.public_message, is_final=error.permanent)
    hidden = [*secrets_in_use, *headers["webhook-signature"].split()]
    hidden += [authorization, *authorization.split()[1:]] if authorization else []
    took = round((time.monotonic() - started) * 1000)
    return Outcome(answer.status, scrubbed(answer.text, hidden), took)


def scrubbed(answer: str, hidden: list[str]) -> str:
    """The beginning of an answer as it may be shown: printable, without secrets in it."""
    for secret in hidden:
        answer = answer.replace(secret, "***")
    printable = "".join(letter if letter.isprintable() else " " for letter in tokens.hidden(answer))
    return " ".join(printable.split())[:LONGEST_ANSWER]
