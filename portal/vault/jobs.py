"""Sealing anew in the background, as long as an older key is among those that we have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from portal.database import db
from portal.job_queue import RING_AGAIN_SECONDS, Ring, job, job_name, sweep
from portal.vault import current_sealer, rotation

MOST_AT_ONCE = 50


@sweep
def values_of_older_keys(now: datetime) -> Iterator[Ring]:
    """One ring while there are any; the rows themselves say how far it is."""
    if rotation.is_wanted(db.session.connection(), current_sealer()):
        yield Ring(job_name(seal_anew), (), str(int(now.timestamp()) // RING_AGAIN_SECONDS))


@job
def seal_anew() -> None:
    """A few rows; the next ring goes on."""
    rotation.seal_anew(db.session.connection(), current_sealer(), MOST_AT_ONCE)
    db.session.commit()
