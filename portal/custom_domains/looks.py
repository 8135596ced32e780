"""How a domain is looked at next: a short look at one that works, or a whole round of checks."""

from __future__ import annotations

from datetime import datetime

from portal.custom_domains.models import LLMClientCustomDomain

LIVE, SLOW, SETTING_UP = "live", "slow", "setting_up"  # of `step`


def look_now(custom_domain: LLMClientCustomDomain, now: datetime) -> None:
    """Have a whole round at once: somebody asks, or what is needed changed.

    A short look knows only the records that were needed before.
    """
    custom_domain.next_attempt_at = now
    if custom_domain.step == LIVE:
        custom_domain.step = SETTING_UP
