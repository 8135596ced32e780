"""What a check of a domain has to know, read from the rows in one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from portal.custom_domains import names, surroundings
from portal.custom_domains.holding import WARNING
from portal.custom_domains.hosts import hosts_on
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.names import NameRefused
from portal.custom_domains.observations import Question
from portal.database import db
from portal.settings import Settings


@dataclass(frozen=True)
class Standing:
    """Whose word counts for a name: a parent of the same account covers it, another's decides."""

    covered_by: str = ""
    ownership_at: str = ""


def standing_of(custom_domain: LLMClientCustomDomain) -> Standing:
    """The nearest verified domain above decides; who is verified already needs nobody above."""
    above = tuple(reversed(names.parents(custom_domain.domain_name)))
    query = select(LLMClientCustomDomain).where(
        LLMClientCustomDomain.domain_name.in_(above), LLMClientCustomDomain.is_verified
    )
    held = {one.domain_name: one.account_id for one in db.session.scalars(query).unique()}
    nearest = next((name for name in above if name in held), "")
    if not nearest:
        return Standing()
    if held[nearest] == custom_domain.account_id:
        return Standing(covered_by=nearest)
    return Standing() if custom_domain.is_verified else Standing(ownership_at=nearest)


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
        caa_domains=settings.caa_domains,
        needs_port_80=surroundings.needs_port_80(settings),
        refused=_refusal(custom_domain.domain_name, settings),
        editor_trouble=editor_trouble,
    )


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
