"""Wishing that something is erased: verbs of the pages and of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from portal.accounts.models import Account
from portal.database import db
from portal.history_keeping.models import HistoryErasure
from portal.llm_clients.models import LLMClient
from portal.request_history.models import Prompt

Kinds = HistoryErasure.Kinds
MOST_SHOWN = 20


def session_of(account: Account, session_key: str) -> Prompt | None:
    """The account's session with this key; None for any other's."""
    return db.session.scalar(
        select(Prompt).where(Prompt.session_key == session_key, Prompt.account_id == account.id)
    )


def of_session(session: Prompt, user_id: int | None, now: datetime) -> HistoryErasure:
    """Erase a session."""
    label = f"the session {session.session_key[:8]}…"
    return _wish(session.account_id, user_id, Kinds.SESSION, session.session_key, label, now)


def of_visitor(session: Prompt, user_id: int | None, now: datetime) -> HistoryErasure:
    """Erase every session of the visitor whose session this is."""
    label = f"the visitor of the session {session.session_key[:8]}…"
    return _wish(session.account_id, user_id, Kinds.VISITOR, session.visitor_hash, label, now)


def of_client(llm_client: LLMClient, user_id: int | None, now: datetime) -> HistoryErasure:
    """Erase everything that a client was ever asked."""
    label, subject = llm_client.name, str(llm_client.id)
    return _wish(llm_client.account_id, user_id, Kinds.CLIENT, subject, label, now)


def _wish(
    account_id: int,
    user_id: int | None,
    kind: HistoryErasure.Kinds,
    subject: str,
    label: str,
    now: datetime,
) -> HistoryErasure:
    wish = HistoryErasure(
        account_id=account_id,
        user_id=user_id,
        kind=kind,
        subject=subject,
        label=label,
        next_attempt_at=now,
    )
    db.session.add(wish)
    db.session.flush()
    return wish


def newest(account: Account) -> Sequence[HistoryErasure]:
    """The last twenty erasures of an account, the newest first."""
    return db.session.scalars(
        select(HistoryErasure)
        .where(HistoryErasure.account_id == account.id)
        .order_by(HistoryErasure.id.desc())
        .limit(MOST_SHOWN)
    ).all()
