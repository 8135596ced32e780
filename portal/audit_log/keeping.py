"""Old events leave the log from its beginning on; the place of the last one stays as the anchor."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.accounts.models import AuditEvent
from portal.audit_log import chains
from portal.audit_log.models import AuditChain
from portal.audit_log.verifying import COLUMNS
from portal.database import db

SHORTEST_DAYS, USUAL_DAYS, LONGEST_DAYS = 30, 400, 3_650
BATCH = 500


def remove_some(chain: AuditChain, days: int, now: datetime, most: int = BATCH) -> int:
    """Remove the oldest events of a locked chain that are older than `days`; how many.

    Each is held against its seal before it goes: what was altered stays, as evidence. Raises
    ChainError and SealError.
    """
    key = chains.key_of(chain)
    limit = now - timedelta(days=max(days, SHORTEST_DAYS))
    query = (
        select(*COLUMNS)
        .where(chains.of_number(chain.number), AuditEvent.sequence > chain.anchor_sequence)
        .order_by(AuditEvent.sequence, AuditEvent.id)
        .limit(most)
    )
    gone: list[int] = []
    for event in db.session.execute(query):
        place = chain.anchor_sequence + 1
        fits = event.sequence == place and event.created_at < limit
        if not fits or chains.link_of(event, place, chain.anchor_seal, key) != event.seal:
            break
        chain.anchor_sequence, chain.anchor_seal = place, event.seal
        chain.anchor_at = event.created_at
        gone.append(event.id)
    if gone:
        db.session.execute(delete(AuditEvent).where(AuditEvent.id.in_(gone)))
        chain.mac = chains.mac_of(chain, key)
    return len(gone)
