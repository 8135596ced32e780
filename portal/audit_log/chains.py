"""Chains: the key of each, its links, its head. No commit happens here."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from portal.accounts.event_text import text_of
from portal.accounts.models import AuditEvent
from portal.audit_log.models import PLATFORM, AuditChain
from portal.database import db
from portal.errors import PortalError
from portal.vault import current_sealer


class ChainError(PortalError):
    """The head of a chain is not what the portal wrote, or its key does not open."""


def of_number(number: int) -> ColumnElement[bool]:
    """The events of a chain: those of the account, or those of none."""
    if number == PLATFORM:
        return AuditEvent.account_id.is_(None)
    return AuditEvent.account_id == number


def begin(number: int, now: datetime) -> AuditChain:
    """A chain with a key of its own; events that are there already are taken in as they are."""
    unmarked_to = db.session.scalar(select(func.max(AuditEvent.id)).where(of_number(number)))
    key = secrets.token_hex(32)
    chain = AuditChain(
        number=number,
        account_id=number if number != PLATFORM else None,
        sealed_key=current_sealer().seal(key, belongs_to=belongs_to(number)),
        unmarked_to=unmarked_to or 0,
        sequence=0,
        seal="",
        anchor_sequence=0,
        anchor_seal="",
        next_attempt_at=now,
    )
    chain.mac = mac_of(chain, bytes.fromhex(key))
    db.session.add(chain)
    db.session.flush()
    return chain


def begin_anew(chain: AuditChain, now: datetime) -> None:
    """Another key for a chain that is broken; all events are to be sealed again, as they are.

    For after a look at what happened: what was altered is not found any more by its seal.
    """
    newest = db.session.scalar(select(func.max(AuditEvent.id)).where(of_number(chain.number)))
    there = update(AuditEvent).where(of_number(chain.number), AuditEvent.id <= (newest or 0))
    db.session.execute(there.values(sequence=None, seal=""))
    key = secrets.token_hex(32)
    chain.sealed_key = current_sealer().seal(key, belongs_to=belongs_to(chain.number))
    chain.unmarked_to = newest or 0
    chain.sequence, chain.seal = 0, ""
    chain.anchor_sequence, chain.anchor_seal = 0, ""
    chain.mac = mac_of(chain, bytes.fromhex(key))


def belongs_to(number: int) -> str:
    return f"audit_chain/{number}"


def find(number: int, *, lock: bool = False) -> AuditChain | None:
    """The chain as it is now; `lock` holds others who seal or remove until the commit."""
    query = select(AuditChain).where(AuditChain.number == number)
    if lock:
        query = query.with_for_update(of=AuditChain)
    return db.session.scalar(query.execution_options(populate_existing=True))


def key_of(chain: AuditChain) -> bytes:
    """Opened only after the head was held against it. Raises ChainError, SealError."""
    opened = current_sealer().open(chain.sealed_key, belongs_to=belongs_to(chain.number))
    key = bytes.fromhex(opened)
    if not hmac.compare_digest(mac_of(chain, key), chain.mac):
        raise ChainError("The head of the chain was altered: it is not what the portal wrote.")
    return key


def mac_of(chain: AuditChain, key: bytes) -> str:
    anchor_at = chain.anchor_at.astimezone(UTC).isoformat() if chain.anchor_at else None
    values = [chain.number, chain.unmarked_to, chain.sequence, chain.seal]
    values += [chain.anchor_sequence, chain.anchor_seal, anchor_at]
    return hmac.digest(key, b"head" + json.dumps(values).encode(), hashlib.sha256).hex()


def link_of(event: Any, sequence: int, previous: str, key: bytes) -> str:
    """The seal of an event: over the one before it, its place, its number, all that it says."""
    text = f"{previous}\n{sequence}\n{event.id}\n{text_of(event)}"
    return hmac.digest(key, text.encode(), hashlib.sha256).hex()
