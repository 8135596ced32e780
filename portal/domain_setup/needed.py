"""Shows at once which records a change needs, before the next look has come round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from portal.custom_domains import questions, record_keeping, surroundings
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.records import NeededRecord
from portal.database import current_settings, db


def show(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Write the rows of the records that are needed now, unless that is for the next look to do.

    A record that we published is withdrawn by the look; until then its row has to be there.
    """
    db.session.flush()
    if custom_domain.state == custom_domain.States.REMOVING:
        return
    above = questions.standing_of(custom_domain)
    wanted = record_keeping.records_of(
        custom_domain,
        surroundings.target_of(current_settings()),
        now,
        ownership_at=above.ownership_at,
        covered_by=above.covered_by,
    )
    if not _withdraws_something(custom_domain, wanted):
        record_keeping.synchronise(custom_domain, wanted)


def _withdraws_something(
    custom_domain: LLMClientCustomDomain, wanted: Sequence[NeededRecord]
) -> bool:
    kept = {(one.name, one.type) for one in wanted}
    db.session.refresh(custom_domain, ["dns_records"])
    return any(
        row.published_by != record_keeping.MANUAL and (row.record_name, row.record_type) not in kept
        for row in custom_domain.dns_records
    )
