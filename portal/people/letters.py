"""Mails that carry a secret link: sealed in the outbox, and without the link where it is read."""

from __future__ import annotations

from datetime import datetime

from portal.accounts.mails import Mail
from portal.adapters import current_adapters
from portal.database import db
from portal.errors import AdapterError
from portal.vault import current_sealer
from portal.vault.sealing import SealError

LEFT_OUT = "(the link is only in the mail itself)"


def put_into_outbox(
    *, account_id: int, user_id: int | None, address: str, subject: str, text: str, now: datetime
) -> Mail:
    """A mail whose `text` has `{link}` where `with_link` will put it; without a server it stays."""
    can_leave = bool(address and current_adapters().mail_sender)
    mail = Mail(
        account_id=account_id,
        user_id=user_id,
        to_address=address,
        subject=subject[:255],
        text=text.replace("{link}", LEFT_OUT),
        next_attempt_at=now if can_leave else None,
    )
    db.session.add(mail)
    db.session.flush()
    return mail


def with_link(mail: Mail, text: str, link: str) -> bool:
    """Seal the whole letter into a mail that can leave; whether it can."""
    if mail.next_attempt_at is None:
        return False
    whole = text.replace("{link}", link)
    mail.sealed_text = current_sealer().seal(whole, belongs_to=_belongs_to(mail))
    return True


def whole_text(mail: Mail) -> str:
    """What is sent. Raises AdapterError when a sealed letter does not open."""
    if not mail.sealed_text:
        return mail.text
    try:
        return current_sealer().open(mail.sealed_text, belongs_to=_belongs_to(mail))
    except SealError as error:
        raise AdapterError(
            "The letter was sealed with a key that is gone.", reason="sealed", permanent=True
        ) from error


def _belongs_to(mail: Mail) -> str:
    return f"mail/{mail.id}"
