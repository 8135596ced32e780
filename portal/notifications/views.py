"""The outbox: what the portal wrote to people of the account, and whether it left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, g, render_template, url_for
from sqlalchemy import select

from portal.accounts.mails import Mail
from portal.adapters import current_adapters
from portal.database import db
from portal.formatting import StatusView, status_view
from portal.web import VIEWER, number_argument, permits

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")
PAGE_SIZE = 30


@dataclass(frozen=True)
class Row:
    """One mail of the list."""

    subject: str
    text: str
    to: str
    created_at: datetime
    status: StatusView
    reason: str


@blueprint.get("/")
@permits(VIEWER)
def index() -> str:
    """Newest first."""
    query = select(Mail).where(Mail.account_id == g.account.id).order_by(Mail.id.desc())
    before = number_argument("before")
    if before is not None:
        query = query.where(Mail.id < before)
    found = list(db.session.scalars(query.limit(PAGE_SIZE + 1)))
    older = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    return render_template(
        "notifications/index.html",
        rows=[_row(mail) for mail in found[:PAGE_SIZE]],
        older_url=url_for(".index", before=older) if older else None,
        newer_url=url_for(".index") if before else None,
        has_server=current_adapters().mail_sender is not None,
    )


def _row(mail: Mail) -> Row:
    status, reason = _status(mail)
    return Row(
        subject=mail.subject,
        text=mail.text,
        to=_recipient(mail),
        created_at=mail.created_at,
        status=status,
        reason=reason,
    )


def _recipient(mail: Mail) -> str:
    """A person of the account, or whoever else has the address."""
    if mail.user is None:
        return mail.to_address or "somebody who left"
    return f"{mail.user.username}, {mail.to_address}" if mail.to_address else mail.user.username


def _status(mail: Mail) -> tuple[StatusView, str]:
    if mail.sent_at is not None:
        return status_view("ready", "Sent"), "The mail server took it"
    if mail.next_attempt_at is not None:
        waiting = f"{mail.message} It is tried again." if mail.message else "On its way"
        return status_view("progress", "Waiting"), waiting
    if mail.attempt:
        return status_view("failed", "Not sent"), mail.message
    if not mail.to_address:
        return status_view("off", "Kept here"), "This person has no mail address"
    return status_view("off", "Kept here"), "No mail server is set up"
