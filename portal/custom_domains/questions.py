"""What a check of a domain has to know, read from the rows in one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.custom_domains import names, record_keeping, records, surroundings
from portal.custom_domains.holding import WARNING
from portal.custom_domains.hosts import hosts_on
from portal.custom_domains.models import LLMClientCustomDomain, LLMClientCustomDomainDNS
from portal.custom_domains.names import NameRefused
from portal.custom_domains.observations import Question
from portal.custom_domains.records import NeededRecord
from portal.database import db
from portal.dns import Record
from portal.settings import Settings


@dataclass(frozen=True)
class Standing:
    """Whose word counts for a name: a parent of the same account covers it, another's decides."""

    covered_by: str = ""
    ownership_at: str = ""


def standing_of(custom_domain: LLMClientCustomDomain) -> Standing:
    """The nearest verified domain above decides.

    Who is verified already goes on proving himself where he did it first, whoever came above since.
    """
    above = tuple(reversed(names.parents(custom_domain.domain_name)))
    query = select(LLMClientCustomDomain).where(
        LLMClientCustomDomain.domain_name.in_(above), LLMClientCustomDomain.is_verified
    )
    held = {one.domain_name: one.account_id for one in db.session.scalars(query).unique()}
    nearest = next((name for name in above if name in held), "")
    if nearest and held[nearest] == custom_domain.account_id:
        return Standing(covered_by=nearest)
    if custom_domain.is_verified:
        return Standing(ownership_at=_proved_at(custom_domain, above))
    return Standing(ownership_at=nearest)


def _proved_at(custom_domain: LLMClientCustomDomain, above: tuple[str, ...]) -> str:
    """The parent whose owner let the domain be claimed; "" where it proved itself."""
    places = {records.ownership_name(name): name for name in above}
    table = LLMClientCustomDomainDNS
    found = db.session.scalar(
        select(table.record_name).where(
            table.custom_domain_id == custom_domain.id,
            table.purpose == table.Purposes.OWNERSHIP,
            table.record_name.in_(list(places)),
        )
    )
    return places.get(found or "", "")


@dataclass(frozen=True)
class Prepared:
    """The question, the records that belong to it, and those of ours that do no more."""

    question: Question
    needed: tuple[NeededRecord, ...]
    gone: tuple[Record, ...]


def prepare(
    custom_domain: LLMClientCustomDomain,
    now: datetime,
    settings: Settings,
    editor_trouble: str = "",
) -> Prepared:
    """Bring the rows of the records up to date and ask what a check has to ask."""
    standing = standing_of(custom_domain)
    needed = record_keeping.records_of(
        custom_domain,
        surroundings.target_of(settings),
        now,
        ownership_at=standing.ownership_at,
        covered_by=standing.covered_by,
    )
    gone = record_keeping.synchronise(custom_domain, needed)
    question = question_of(custom_domain, now, settings, editor_trouble)
    return Prepared(question, needed, tuple(gone))


def question_of(
    custom_domain: LLMClientCustomDomain,
    now: datetime,
    settings: Settings,
    editor_trouble: str = "",
) -> Question:
    """The question of the domain's next check."""
    standing = standing_of(custom_domain)
    holder = _other_holder(custom_domain)
    until = holder.failing_since + WARNING if holder and holder.failing_since else None
    return Question(
        domain=custom_domain.domain_name,
        token=custom_domain.verification_token,
        hosts=hosts_on(custom_domain, now),
        target=surroundings.target_of(settings),
        ownership_at=standing.ownership_at,
        covered_by=standing.covered_by,
        is_verified=custom_domain.is_verified,
        held_by_other=holder is not None,
        holder_wins_until=until,
        wildcard=custom_domain.wants_wildcard,
        delegation=custom_domain.wants_delegation,
        challenge_label=custom_domain.challenge_label,
        caa_domains=surroundings.caa_domains_of(settings),
        needs_port_80=surroundings.needs_port_80(settings),
        refused=_refusal(custom_domain.domain_name, settings),
        editor_trouble=editor_trouble,
        we_publish=custom_domain.zone_editor != record_keeping.MANUAL,
        wished_at=wishes_of(custom_domain),
    )


def wishes_of(custom_domain: LLMClientCustomDomain) -> tuple[datetime | None, ...]:
    """When somebody last wanted the domain to be looked at."""
    return custom_domain.watched_since, custom_domain.check_asked_at


def _other_holder(custom_domain: LLMClientCustomDomain) -> LLMClientCustomDomain | None:
    return db.session.scalar(
        select(LLMClientCustomDomain).where(
            LLMClientCustomDomain.domain_name == custom_domain.domain_name,
            LLMClientCustomDomain.id != custom_domain.id,
            LLMClientCustomDomain.is_verified,
        )
    )


def _refusal(name: str, settings: Settings) -> str:
    try:
        names.checked_name(name, surroundings.premises_of(settings))
    except NameRefused as refused:
        return refused.public_message
    return ""
