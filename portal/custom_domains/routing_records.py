"""The records that lead one host to us, whether or not anybody still needs them."""

from __future__ import annotations

from portal.custom_domains import record_keeping, surroundings
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.records import Purposes, needed_records
from portal.dns import Record
from portal.settings import Settings


def routing_of(
    custom_domain: LLMClientCustomDomain, host: str, settings: Settings
) -> tuple[Record, ...]:
    """What a deployment publishes for the host, and takes back; none below the wildcard record.

    A host that its client has left by a new name is not among the domain's own rows any more.
    """
    wish = record_keeping.wish_of(custom_domain, (host,))
    return tuple(
        Record(one.name, one.type, one.values, one.ttl)
        for one in needed_records(wish, surroundings.target_of(settings))
        if one.purpose == Purposes.ROUTING
    )
