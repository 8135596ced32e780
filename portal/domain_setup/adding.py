"""Claiming a domain with everything that belongs to it: its records, its event, a first look."""

from __future__ import annotations

from datetime import datetime

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.accounts.models import Account, User
from portal.custom_domains import claims, names
from portal.custom_domains.jobs import ring_for
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import current_settings
from portal.domain_setup import needed

LOCAL = "local"


def add(
    account: Account, text: str, now: datetime, by: User, actor: Actor, *, claims_held: bool = False
) -> LLMClientCustomDomain:
    """The domain as it was typed, watched from now on; not committed. Raises PortalError."""
    custom_domain = claims.add(account, text, now, by, claims_held=claims_held)
    if current_settings().zone_editor == LOCAL and names.is_reserved(custom_domain.domain_name):
        custom_domain.zone_editor = LOCAL  # nobody else can: the embedded name server does
    needed.show(custom_domain, now)
    audit.record(actor, "custom_domain_added", custom_domain, name=custom_domain.domain_name)
    ring_for(custom_domain)
    return custom_domain
