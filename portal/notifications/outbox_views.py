"""The outbox: which mails the portal wrote to people of the account, and whether they left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, g, redirect, render_template, url_for
from flask_login import current_user
from sqlalchemy import Select, or_, select

from portal.accounts import audit
from portal.accounts.mails import Mail
from portal.accounts.models import Role
from portal.adapters import current_adapters
from portal.database import db, utc_now
from portal.formatting import StatusView, status_view
from portal.notifications.views import blueprint
from portal.people.letters import LEFT_OUT
from portal.web import ADMIN, VIEWER, FormActor, number_argument, permits, said

PAGE_SIZE = 30
LINK_IS_GONE = "The link in it is gone. Have a new one sent from where it came."


@dataclass(frozen=True)
class Row:
    """One mail of the list."""

    mail: Mail
    to: str
    status: StatusView
    reason: str
    can_be_tried: bool


@blueprint.get("/mails")
@permits(VIEWER)
def outbox() -> str:
    """Newest first: admins see all mails of the account, others those to them or to outsiders."""
    query = _own_mails().order_by(Mail.id.desc())
    before = number_argument("before")
    if before is not None:
        query = query.where(Mail.id < before)
    found = list(db.session.scalars(query.limit(PAGE_SIZE + 1)))
    older = found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None
    return render_template(
        "notifications/outbox.html",
        rows=[_row(mail) for mail in found[:PAGE_SIZE]],
        older_url=url_for(".outbox", before=older) if older else None,
        newer_url=url_for(".outbox") if before else None,
        has_server=current_adapters().mail_sender is not None,
    )


@blueprint.post("/mails/<row_id:mail_id>/send")
@permits(ADMIN)
def try_again(mail_id: int) -> Any:
    """Put a mail that did not leave on its way once more."""
    mail = db.session.scalar(_own_mails().where(Mail.id == mail_id).with_for_update(of=Mail))
    if mail is None:
        abort(404)
    if _can_be_tried(mail):
        mail.attempt, mail.message, mail.next_attempt_at = 0, "", utc_now()
        audit.record(FormActor(), "mail_tried_again", mail, name=mail.subject)
        db.session.commit()
        said(f"“{mail.subject}” is on its way again.", "progress")
    else:
        db.session.rollback()
        said(LINK_IS_GONE if LEFT_OUT in mail.text else "It cannot be sent now.", "attention")
    return redirect(url_for(".outbox"), 303)


def _own_mails() -> Select[tuple[Mail]]:
    query = select(Mail).where(Mail.account_id == g.account.id)
    if g.profile.role == Role.ADMIN:
        return query
    return query.where(or_(Mail.user_id == current_user.id, Mail.user_id.is_(None)))


def _row(mail: Mail) -> Row:
    status, reason = _status(mail)
    return Row(mail, _recipient(mail), status, reason, _can_be_tried(mail))


def _can_be_tried(mail: Mail) -> bool:
    """Whether it rests here, could leave, and holds all that it is meant to say."""
    rests = mail.sent_at is None and mail.next_attempt_at is None
    could_leave = bool(mail.to_address) and current_adapters().mail_sender is not None
    return rests and could_leave and LEFT_OUT not in mail.text


def _recipient(mail: Mail) -> str:
    """A person of the account, or whoever else has the address."""
    if mail.user is None:
        return mail.to_address or "somebody who left"
    return f"{mail.user.username}, {mail.to_address}" if mail.to_address else mail.user.username


def _status(mail: Mail) -> tuple[StatusView, str]:
    if mail.sent_at is not None:
        return status_view("ready", "Sent"), "The mail server took it."
    if mail.next_attempt_at is not None:
        waiting = f"{mail.message} It is tried again." if mail.message else "It is on its way."
        return status_view("progress", "Waiting"), waiting
    if mail.attempt:
        return status_view("failed", "Not sent"), mail.message
    if not mail.to_address:
        return status_view("off", "Kept here"), "This person has no mail address."
    return status_view("off", "Kept here"), "No mail server was set up when it was written."
