"""Events are sealed in batches, a moment after they were written: nobody waits for it.

Numbers of events become visible out of order on PostgreSQL, so an event's place in the chain is
given here, under the lock of the chain's head. One transaction holds events and head together:
whoever is killed has sealed all of the batch or nothing.
"""

from __future__ import annotations

import hmac
import logging

from sqlalchemy import select, update

from portal.accounts.event_text import mark_of
from portal.accounts.models import AuditEvent
from portal.audit_log import chains
from portal.audit_log.models import AuditChain
from portal.database import current_settings, db

log = logging.getLogger(__name__)
BATCH = 200
NOT_OURS = 0  # the place of an event that the portal did not write


def unsealed(most: int) -> list[int]:
    """Numbers of the chains that have something to seal."""
    query = select(AuditEvent.account_id).where(AuditEvent.sequence.is_(None)).distinct()
    return [account_id or 0 for account_id in db.session.scalars(query.limit(most))]


def seal_some(chain: AuditChain, most: int = BATCH) -> int:
    """Seal the oldest unsealed events of a locked chain; how many were looked at.

    Raises ChainError and SealError: on an altered head nothing is built.
    """
    key = chains.key_of(chain)
    query = (
        select(AuditEvent)
        .where(chains.of_number(chain.number), AuditEvent.sequence.is_(None))
        .order_by(AuditEvent.id)
        .limit(most)
        .execution_options(populate_existing=True)
    )
    found = list(db.session.scalars(query))
    placed = []
    for event in found:
        if not _is_ours(event, chain):
            log.error("audit event %s was not written by the portal", event.id)
            placed.append({"id": event.id, "sequence": NOT_OURS, "seal": ""})
            continue
        chain.sequence += 1
        chain.seal = chains.link_of(event, chain.sequence, chain.seal, key)
        placed.append({"id": event.id, "sequence": chain.sequence, "seal": chain.seal})
    if placed:
        db.session.execute(update(AuditEvent), placed)
        chain.mac = chains.mac_of(chain, key)
        log.info("audit chain %s: %s %s", chain.number, chain.sequence, chain.seal)
    return len(found)


def _is_ours(event: AuditEvent, chain: AuditChain) -> bool:
    if not event.seal and event.id <= chain.unmarked_to:
        return True
    return hmac.compare_digest(mark_of(event, current_settings().secret_key), event.seal)
