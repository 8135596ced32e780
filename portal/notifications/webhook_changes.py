"""What people change of webhooks, with its events; the page and manifests do the same."""

from __future__ import annotations

from typing import Any, NamedTuple

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.notices import attempts, webhooks
from portal.notices.webhook_models import Webhook

FULL = f"An account has at most {webhooks.MOST_OF_AN_ACCOUNT} webhooks. Delete one first."


class Wanted(NamedTuple):
    """What a webhook is to be. `authorization` None: as it is; "": no such header."""

    name: str
    url: str
    kinds: list[str]
    authorization: str | None = None


def told(webhook: Webhook) -> dict[str, Any]:
    """What the audit log has of it: never its secret."""
    return {"name": webhook.name, "url": webhook.url, "kinds": list(webhook.kinds)}


def make(account_id: int, wanted: Wanted, actor: Actor) -> tuple[Webhook, str]:
    """A new one, and its secret."""
    webhook, secret = webhooks.make(account_id, wanted.name, wanted.url, wanted.kinds)
    became = _authorize(webhook, wanted.authorization)
    after = {**told(webhook), "authorization": became}
    audit.record(actor, "webhook_created", webhook, after=after)
    return webhook, secret


def change(webhook: Webhook, wanted: Wanted, actor: Actor) -> None:
    """What waits goes to the new address."""
    before = told(webhook)
    webhook.name, webhook.url, webhook.kinds = wanted.name, wanted.url, wanted.kinds
    after = {**told(webhook), "authorization": _authorize(webhook, wanted.authorization)}
    audit.record(actor, "webhook_changed", webhook, before=before, after=after)


def _authorize(webhook: Webhook, value: str | None) -> str:
    """What became of the header, as the audit log tells it."""
    if value is None:
        return "kept" if webhook.sealed_authorization else "none"
    webhooks.set_authorization(webhook, value)
    return "replaced" if value else "removed"


def switch(webhook: Webhook, actor: Actor) -> None:
    """On if it is off, off if it is on."""
    if webhook.is_active:
        webhook.is_active, webhook.off_reason = False, ""
        attempts.stop_waiting(webhook)
    else:
        webhooks.switch_on(webhook)
    action = "webhook_switched_on" if webhook.is_active else "webhook_switched_off"
    audit.record(actor, action, webhook)
