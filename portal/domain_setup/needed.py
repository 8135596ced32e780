"""Shows at once which records a change needs, before the next look has come round."""

from __future__ import annotations

from datetime import datetime

from portal.custom_domains import questions, record_keeping, surroundings
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import current_settings, db


def show(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Write the rows of the records; those that we publish are left to the look that does it.

    What is needed less is withdrawn by whoever published it, so its row has to be there until then.
    """
    db.session.flush()
    if (
        custom_domain.state == custom_domain.States.REMOVING
        or custom_domain.zone_editor != "manual"
    ):
        return
    target = surroundings.target_of(current_settings())
    above = questions.standing_of(custom_domain)
    wanted = record_keeping.records_of(
        custom_domain,
        target,
        now,
        ownership_at=above.ownership_at,
        covered_by=above.covered_by,
    )
    record_keeping.synchronise(custom_domain, wanted)
