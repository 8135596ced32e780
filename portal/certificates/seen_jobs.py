"""The worker's daily look at certificates that somebody else keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.adapters import current_adapters
from portal.certificates import seen
from portal.certificates.models import SeenCertificate
from portal.database import current_settings, db, utc_now
from portal.job_queue import Ring, claim, job, rings_of, still_ours, sweep

MOST_AT_ONCE = 50


@sweep
def due_looks(now: datetime) -> Iterator[Ring]:
    """Hosts that nobody shook hands with for a day."""
    yield from rings_of(SeenCertificate, look_at_certificate, now, most=MOST_AT_ONCE)


@job
def look_at_certificate(seen_id: int) -> None:
    """One handshake at the edge; what it shows replaces what was seen before."""
    row = claim(SeenCertificate, seen_id, utc_now())
    if row is None:
        return
    generation, host, settings = row.generation, row.hostname, current_settings()
    db.session.commit()
    probe = current_adapters().probe(host, settings.edge_address, settings.edge_port, utc_now())
    kept = still_ours(SeenCertificate, seen_id, generation)
    if kept is not None:
        now = utc_now()
        kept.leased_until, kept.broken_off = None, 0
        kept.next_attempt_at = now + seen.LOOK_EVERY if seen.keeper() else None
        kept.message = probe.message[:1000]
        seen.keep(kept.account_id, host, probe, now)
    db.session.commit()
