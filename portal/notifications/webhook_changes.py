"""What people change of webhooks, with its events; the page and manifests do the same."""

from __future__ import annotations

from typing import Any

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.notices import attempts, webhooks
from portal.notices.webhook_models import Webhook

FULL = f"An account has at most {webhooks.MOST_OF_AN_ACCOUNT} webhooks. Delete one first."


def told(webhook: Webhook) -> dict[str, Any]:
    """What the audit log has of it: never its secret."""
    return {"name": webhook.name, "url": webhook.url, "kinds": list(webhook.kinds)}


def make(
    account_id: int, name: str, url: str, kinds: list[str], actor: Actor
) -> tuple[Webhook, str]:
    """A new one, and its secret."""
    webhook, secret = webhooks.make(account_id, name, url, kinds)
    audit.record(actor, "webhook_created", webhook, after=told(webhook))
    return webhook, secret


def change(webhook: Webhook, name: str, url: str, kinds: list[str], actor: Actor) -> None:
    """What waits goes to the new address."""
    before = told(webhook)
    webhook.name, webhook.url, webhook.kinds = name, url, kinds
    audit.record(actor, "webhook_changed", webhook, before=before, after=told(webhook))


def switch(webhook: Webhook, actor: Actor) -> None:
    """On if it is off, off if it is on."""
    if webhook.is_active:
        webhook.is_active, webhook.off_reason = False, ""
        attempts.stop_waiting(webhook)
    else:
        webhooks.switch_on(webhook)
    action = "webhook_switched_on" if webhook.is_active else "webhook_switched_off"
    audit.record(actor, action, webhook)
