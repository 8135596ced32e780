"""Clearing away what nobody needs any more: old notices, and old messages to webhooks."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from portal.database import db
from portal.notices.models import Notice
from portal.notices.webhook_models import Webhook, WebhookDelivery

KEPT = {WebhookDelivery: timedelta(days=30), Notice: timedelta(days=90)}
AT_ONCE = 500
LONGEST_SECONDS = 2.0


def clear_away(now: datetime) -> bool:
    """Delete in batches, each in a transaction of its own; whether nothing is left."""
    end = time.monotonic() + LONGEST_SECONDS
    for model, kept in KEPT.items():
        old = (
            select(model.id).where(model.created_at < now - kept).order_by(model.id).limit(AT_ONCE)
        )
        while numbers := list(db.session.scalars(old)):
            db.session.execute(
                delete(model)
                .where(model.id.in_(numbers))
                .execution_options(synchronize_session=False)
            )
            db.session.commit()
            if time.monotonic() > end:
                return False
    _forget_old_secrets(now)
    return True


def _forget_old_secrets(now: datetime) -> None:
    """Of webhooks whose rotation is over."""
    over = Webhook.old_secret_until < now
    db.session.execute(
        update(Webhook)
        .where(over, Webhook.sealed_old_secret != "")
        .values(sealed_old_secret="")
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
