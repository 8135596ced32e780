"""An account's webhooks: made, rotated, found; and the messages that they are to be sent."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, select

from portal.accounts.models import Account
from portal.database import current_settings, db
from portal.notices import signing
from portal.notices.models import Notice
from portal.notices.webhook_models import TEST, Webhook, WebhookDelivery
from portal.vault import current_sealer, named

MOST_OF_AN_ACCOUNT = 20
OVERLAP = timedelta(hours=24)
PAGE_SIZE = 30
TESTS_AT_ONCE, TESTS_WINDOW = 10, timedelta(minutes=10)


def make(account_id: int, name: str, url: str, kinds: list[str]) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is shown once."""
    webhook = Webhook(account_id=account_id, name=name, url=url, kinds=kinds)
    webhook.is_active, webhook.failures = True, 0
    db.session.add(webhook)
    db.session.flush()
    secret = signing.new_secret()
    webhook.sealed_secret = _sealed(webhook, secret)
    return webhook, secret


def rotate(webhook: Webhook, now: datetime) -> str:
    """Another secret, shown once; the one before signs beside it for a day."""
    secret = signing.new_secret()
    webhook.sealed_old_secret = webhook.sealed_secret
    webhook.old_secret_until = now + OVERLAP
    webhook.sealed_secret = _sealed(webhook, secret)
    return secret


def secrets_of(webhook: Webhook, now: datetime) -> list[str]:
    """Those that sign now, the newest first. Raises SealError."""
    sealed = [webhook.sealed_secret]
    until = webhook.old_secret_until
    if webhook.sealed_old_secret and until is not None and now < until:
        sealed.append(webhook.sealed_old_secret)
    belongs_to = _belongs_to(webhook)
    return [current_sealer().open(one, belongs_to=belongs_to) for one in sealed]


def set_authorization(webhook: Webhook, value: str) -> None:
    """The Authorization header from the next attempt on; "" for none."""
    sealed = current_sealer().seal(value, belongs_to=_header_belongs_to(webhook)) if value else ""
    webhook.sealed_authorization = sealed


def authorization_of(webhook: Webhook) -> str:
    """The Authorization header, "" for none. Raises SealError."""
    return named.followed(webhook.account_id, typed_authorization(webhook))


def typed_authorization(webhook: Webhook) -> str:
    """The header, or the named secret that it refers to. Raises SealError."""
    sealed = webhook.sealed_authorization
    if not sealed:
        return ""
    return current_sealer().open(sealed, belongs_to=_header_belongs_to(webhook))


@named.on_uses
def _uses(account_id: int) -> Iterator[named.Use]:
    for webhook in of_account(account_id):
        values = tuple(named.opened_or_nothing(partial(typed_authorization, webhook)))
        place = {"webhook_id": webhook.id}
        yield named.Use(f"Webhook {webhook.name}", "notifications.show_webhook", place, values)


def _header_belongs_to(webhook: Webhook) -> str:
    return f"webhook_authorization/{webhook.account_id}/{webhook.id}"


def _sealed(webhook: Webhook, secret: str) -> str:
    return current_sealer().seal(secret, belongs_to=_belongs_to(webhook))


def _belongs_to(webhook: Webhook) -> str:
    return f"webhook/{webhook.account_id}/{webhook.id}"


def switch_on(webhook: Webhook) -> None:
    """Messages are sent again, from the next notice on; what failed before is forgotten."""
    webhook.is_active, webhook.off_reason = True, ""
    webhook.failing_since, webhook.failures = None, 0


def of_account(account_id: int) -> list[Webhook]:
    """By name."""
    query = select(Webhook).where(Webhook.account_id == account_id)
    return list(db.session.scalars(query.order_by(Webhook.name, Webhook.id)))


def for_account(account_id: int, webhook_id: int, *, lock: bool = False) -> Webhook | None:
    """The account's webhook; `lock` holds others who change it until the commit."""
    query = select(Webhook).where(Webhook.account_id == account_id, Webhook.id == webhook_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(query)


def is_full(account_id: int) -> bool:
    """Whether the account has as many as it may."""
    query = select(func.count()).select_from(Webhook).where(Webhook.account_id == account_id)
    return (db.session.scalar(query) or 0) >= MOST_OF_AN_ACCOUNT


def deliver(notice: Notice, now: datetime) -> None:
    """A message to each webhook that wants the kind; before the commit."""
    wanted = [
        one for one in of_account(notice.account_id) if one.is_active and notice.kind in one.kinds
    ]
    if wanted:
        content = _content(notice)
        for webhook in wanted:
            db.session.add(_message(webhook, notice.kind, content, now, notice.id))


def deliver_test(webhook: Webhook, now: datetime) -> bool:
    """A message that tells of nothing; False where there were too many lately."""
    query = select(func.count(WebhookDelivery.id)).where(
        WebhookDelivery.webhook_id == webhook.id,
        WebhookDelivery.kind == TEST,
        WebhookDelivery.created_at > now - TESTS_WINDOW,
    )
    if (db.session.scalar(query) or 0) >= TESTS_AT_ONCE:
        return False
    content = {"subject": "A test", "text": f"{webhook.name} is set up in the portal."}
    db.session.add(_message(webhook, TEST, content, now))
    return True


def _message(
    webhook: Webhook,
    kind: str,
    content: dict[str, Any],
    now: datetime,
    notice_id: int | None = None,
) -> WebhookDelivery:
    message = {"type": str(kind), "timestamp": now.isoformat(timespec="seconds"), "data": content}
    return WebhookDelivery(
        webhook_id=webhook.id,
        notice_id=notice_id,
        kind=str(kind),
        message_id=f"msg_{secrets.token_hex(16)}",
        body=json.dumps(message, ensure_ascii=False),
        next_attempt_at=now,
        created_at=now,
    )


def _content(notice: Notice) -> dict[str, Any]:
    """What a program may want to know; nothing that the notice itself does not tell."""
    account = db.session.get_one(Account, notice.account_id)
    return {
        "notice_id": notice.id,
        "account_number": account.account_number,
        "level": {"ready": "good", "progress": "news"}.get(notice.level.value, notice.level.value),
        "subject": notice.subject,
        "text": notice.text,
        "url": f"{current_settings().platform_url}{notice.path}",
        "object": {
            "type": notice.object_type,
            "id": notice.object_id,
            "name": notice.object_name,
        },
        "gathered": notice.gathered,
    }


def log_page(webhook: Webhook, before: int | None) -> tuple[list[WebhookDelivery], int | None]:
    """Messages, newest first, and the number before which the next page begins."""
    query = (
        select(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook.id)
        .order_by(WebhookDelivery.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if before is not None:
        query = query.where(WebhookDelivery.id < before)
    found = list(db.session.scalars(query))
    older = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    return found[:PAGE_SIZE], older


def delivery_of(webhook: Webhook, delivery_id: int) -> WebhookDelivery | None:
    """One message of a webhook, held until the commit."""
    query = select(WebhookDelivery).where(
        WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.id == delivery_id
    )
    return db.session.scalar(query.with_for_update(of=WebhookDelivery))
