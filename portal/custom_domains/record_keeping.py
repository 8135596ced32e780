"""The rows of the records that a domain needs: kept as they should be, published, withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select

from portal.custom_domains.hosts import hosts_on
from portal.custom_domains.models import LLMClientCustomDomain, LLMClientCustomDomainDNS
from portal.custom_domains.records import NeededRecord, Purposes, Target, Wish, needed_records
from portal.custom_domains.results import CheckResult, Checks
from portal.database import db
from portal.dns import AwaitingOwner, Record, ZoneEditor

MANUAL = "manual"
# Routing records are published and withdrawn by the deployments of the clients.
OURS = (Purposes.OWNERSHIP, Purposes.WILDCARD, Purposes.DELEGATION)


def wish_of(
    custom_domain: LLMClientCustomDomain,
    hosts: Iterable[str],
    *,
    ownership_at: str = "",
    covered_by: str = "",
) -> Wish:
    """What the domain is set up for."""
    return Wish(
        domain=custom_domain.domain_name,
        token=custom_domain.verification_token,
        hosts=tuple(hosts),
        zone=custom_domain.zone_name,
        ownership_at=ownership_at,
        covered_by=covered_by,
        wildcard=custom_domain.wants_wildcard,
        delegation=custom_domain.wants_delegation,
        challenge_label=custom_domain.challenge_label,
    )


def records_of(
    custom_domain: LLMClientCustomDomain,
    target: Target,
    now: datetime,
    *,
    ownership_at: str = "",
    covered_by: str = "",
) -> tuple[NeededRecord, ...]:
    """The records that the domain needs for the clients that are attached to it now."""
    hosts = [one.host for one in hosts_on(custom_domain, now)]
    wish = wish_of(custom_domain, hosts, ownership_at=ownership_at, covered_by=covered_by)
    return needed_records(wish, target)


def synchronise(
    custom_domain: LLMClientCustomDomain, needed: Sequence[NeededRecord]
) -> list[Record]:
    """Make the rows say what is needed; the records of ours that are not any more are returned.

    Twice changes nothing.
    """
    rows = {(row.record_name, row.record_type): row for row in _rows(custom_domain)}
    for one in needed:
        row = rows.pop((one.name, one.type), None)
        if row is None:
            row = LLMClientCustomDomainDNS(
                custom_domain_id=custom_domain.id, record_name=one.name, record_type=one.type
            )
            db.session.add(row)
        _describe(row, one)
    gone = [_record(row) for row in rows.values() if row.published_by != MANUAL]
    for row in rows.values():
        db.session.delete(row)
    db.session.flush()
    return [record for record in gone if record is not None]


def values_of(row: LLMClientCustomDomainDNS) -> tuple[str, ...]:
    """The values of a row: addresses are several in one, separated by spaces."""
    if row.record_type in ("A", "AAAA"):
        return tuple(row.record_value.split())
    return (row.record_value,)


def publish(editor: ZoneEditor, needed: Iterable[NeededRecord]) -> list[tuple[str, str]]:
    """Publish the domain's own records; names and types of those that stand now.

    Raises AdapterError. No database in here.
    """
    standing = []
    for one in needed:
        if one.purpose in OURS:
            answer = editor.publish(Record(one.name, one.type, one.values, one.ttl))
            if not isinstance(answer, AwaitingOwner):
                standing.append((one.name, one.type))
    return standing


def withdraw(editor: ZoneEditor, gone: Iterable[Record]) -> None:
    """Take away what we published and nobody needs any more. Raises AdapterError."""
    for record in gone:
        editor.withdraw(record)


def note_published(
    custom_domain: LLMClientCustomDomain, standing: Iterable[tuple[str, str]]
) -> None:
    """Remember which records we published ourselves."""
    names = set(standing)
    for row in _rows(custom_domain):
        if (row.record_name, row.record_type) in names:
            row.published_by = custom_domain.zone_editor


def note_found(
    custom_domain: LLMClientCustomDomain, results: Iterable[CheckResult], now: datetime
) -> None:
    """Write what the checks found beside each record, for the page."""
    by_check = {(one.check, one.host): one for one in results}
    for row in _rows(custom_domain):
        is_proof = row.purpose == Purposes.OWNERSHIP
        check = Checks.OWNERSHIP if is_proof else Checks.ROUTING
        result = by_check.get((check, custom_domain.domain_name if is_proof else row.host))
        if row.purpose in (Purposes.OWNERSHIP, Purposes.ROUTING) and result is not None:
            row.found = {
                "verdict": result.verdict.value,
                "reason": (result.reason or ""),
                "values": list(result.found),
                "checked_at": now.isoformat(),
            }


def published_records(custom_domain: LLMClientCustomDomain) -> list[Record]:
    """What has to be withdrawn when the domain is removed."""
    found = [_record(row) for row in _rows(custom_domain) if row.published_by != MANUAL]
    return [record for record in found if record is not None]


def _describe(row: LLMClientCustomDomainDNS, needed: NeededRecord) -> None:
    value = " ".join(needed.values)
    if row.record_value != value:
        row.found = None
        row.published_by = MANUAL
    row.purpose = needed.purpose
    row.host = needed.host
    row.is_required = needed.is_required
    row.record_value = value
    row.record_ttl = needed.ttl


def _record(row: LLMClientCustomDomainDNS) -> Record | None:
    if row.purpose not in OURS:
        return None
    return Record(row.record_name, row.record_type, values_of(row), row.record_ttl)


def _rows(custom_domain: LLMClientCustomDomain) -> list[LLMClientCustomDomainDNS]:
    query = select(LLMClientCustomDomainDNS).where(
        LLMClientCustomDomainDNS.custom_domain_id == custom_domain.id
    )
    return list(db.session.scalars(query.order_by(LLMClientCustomDomainDNS.id)))


def has_unpublished(custom_domain: LLMClientCustomDomain) -> bool:
    """Whether a record that is ours to publish was not, or was not found."""
    return any(
        row.purpose in OURS
        and (
            row.published_by == MANUAL
            or (row.purpose == Purposes.OWNERSHIP and (row.found or {}).get("verdict") != "pass")
        )
        for row in _rows(custom_domain)
    )


def forget_published(custom_domain: LLMClientCustomDomain) -> None:
    """Nothing of the domain is ours to withdraw any more; the deployments still have theirs."""
    for row in _rows(custom_domain):
        if row.purpose in OURS:
            row.published_by = MANUAL
