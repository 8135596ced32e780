"""Checks 1 and 2: does the domain exist, and is its owner the account that claims it? Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from portal.custom_domains import names, near_misses, records, troubles
from portal.custom_domains.near_misses import value_fault
from portal.custom_domains.observations import Look, Observations, Question, server_names
from portal.custom_domains.reasons import failed, passed
from portal.custom_domains.results import CheckResult, Checks, Reasons
from portal.dns import Answer

OWNERSHIP, EXISTS = Checks.OWNERSHIP, Checks.EXISTS


class Proof(StrEnum):
    """`gone` only where servers say so themselves and nobody contradicts them."""

    STANDS = "stands"
    GONE = "gone"
    UNKNOWN = "unknown"


def check_existence(question: Question, observed: Observations) -> CheckResult:
    """Whether the domain exists and somebody answers for it."""
    delegation, domain = observed.delegation, question.domain
    asked = names.registrable_domain(question.proof_at)
    source = ", ".join(dict.fromkeys(name for name, _ in delegation.servers))
    if question.refused:
        return failed(EXISTS, domain, Reasons.RESERVED, detail=question.refused)
    if delegation.status == "no_name":
        reason = Reasons.NAME_DOES_NOT_EXIST
        return failed(EXISTS, domain, reason, name=asked, source=source, detail=delegation.detail)
    if delegation.status == "no_record":
        is_lame = delegation.trouble == "lame" and bool(delegation.servers)
        reason = Reasons.LAME if is_lame else Reasons.NOT_DELEGATED
        return failed(EXISTS, domain, reason, name=asked, source=source, detail=delegation.detail)
    if delegation.status == "could_not_ask":
        return troubles.zone_could_not_be_asked(EXISTS, domain, delegation)
    if delegation.zone != asked and names.is_within(asked, delegation.zone):
        sentence = f"{delegation.zone} answers itself"
        return failed(
            EXISTS, domain, Reasons.NOT_DELEGATED, name=asked, source=source, detail=sentence
        )
    if observed.top is not None and observed.top.public_trouble == "bogus":
        detail = next(one.detail for one in observed.top.public if one.trouble == "bogus")
        return failed(EXISTS, domain, Reasons.DNSSEC_BOGUS, source=source, detail=detail)
    count = len(dict.fromkeys(name for name, _ in delegation.servers))
    servers = "One name server answers" if count == 1 else f"{count} name servers answer"
    found = tuple(dict.fromkeys(name for name, _ in delegation.servers))
    sentence = f"{servers} for {delegation.zone}."
    return passed(EXISTS, domain, sentence, found=found, source=source)


def proof_of(question: Question, observed: Observations) -> Proof:
    """What the round says about the claim; a server that could not be asked says nothing."""
    if question.covered_by:
        return Proof.STANDS
    if observed.delegation.status == "no_name":
        return Proof.GONE
    if observed.delegation.status == "no_record":
        return Proof.UNKNOWN if observed.delegation.trouble else Proof.GONE
    look = observed.ownership
    if look is None or not look.said:
        return Proof.UNKNOWN
    expected = records.ownership_value(question.token)
    if look.public_trouble == "bogus":
        return Proof.UNKNOWN
    right = [expected in answer.values for answer in look.said]
    if all(right):
        return Proof.STANDS
    seen_elsewhere = any(expected in answer.values for answer in look.public)
    return Proof.UNKNOWN if any(right) or seen_elsewhere else Proof.GONE


def check_ownership(question: Question, observed: Observations, now: datetime) -> CheckResult:
    """Whether the account's own token stands where the owner of the domain decides."""
    domain, expected = question.domain, records.ownership_value(question.token)
    if question.covered_by:
        sentence = f"Covered by {question.covered_by}, which this account has proved already."
        return passed(OWNERSHIP, domain, sentence, source=question.covered_by)
    look = observed.ownership
    if look is None:
        return _without_look(question, observed)
    if look.trouble is not None:
        return troubles.could_not_ask(OWNERSHIP, domain, look, observed.delegation)

    def is_right(answer: Answer) -> bool:
        return expected in answer.values

    if not any(is_right(one) for one in look.said):
        return _not_there(question, observed, look, expected)
    return (
        troubles.disagreement(
            OWNERSHIP, domain, look, is_right, observed.delegation, expected=expected
        )
        or _taken(question, look, expected)
        or _bogus(question, look)
        or troubles.still_cached(OWNERSHIP, domain, look, is_right, now, expected=expected)
        or passed(
            OWNERSHIP,
            domain,
            f"The token of this account is at {look.name}.",
            expected=expected,
            found=look.values,
            source=server_names(observed.delegation, look.said),
        )
    )


def _without_look(question: Question, observed: Observations) -> CheckResult:
    delegation = observed.delegation
    if delegation.status == "could_not_ask":
        return troubles.zone_could_not_be_asked(OWNERSHIP, question.domain, delegation)
    return failed(
        OWNERSHIP, question.domain, Reasons.WAITS_FOR_OTHERS, others="the first check passes"
    )


def _taken(question: Question, look: Look, expected: str) -> CheckResult | None:
    if not question.held_by_other:
        return None
    others = [value for value in look.values if value.startswith(records.TOKEN_PREFIX)]
    return failed(
        OWNERSHIP,
        question.domain,
        Reasons.TAKEN,
        expected=expected,
        found=look.values,
        others=", ".join(value for value in others if value != expected) or "there is none now",
        clears_at=question.holder_wins_until,
    )


def _bogus(question: Question, look: Look) -> CheckResult | None:
    if look.public_trouble != "bogus":
        return None
    detail = next(one.detail for one in look.public if one.trouble == "bogus")
    return failed(
        OWNERSHIP, question.domain, Reasons.DNSSEC_BOGUS, detail=detail, found=look.values
    )


def _not_there(
    question: Question, observed: Observations, look: Look, expected: str
) -> CheckResult:
    """Nobody has the token: say what is there in its place, or where it went."""
    if question.editor_trouble:
        trouble = question.editor_trouble
        return failed(OWNERSHIP, question.domain, Reasons.EDITOR_REFUSED, detail=trouble)
    zone = observed.delegation.zone
    words: dict[str, Any] = {
        "name": look.name,
        "type": "TXT",
        "label": records.short_label(look.name, zone),
        "value": expected,
        "source": server_names(observed.delegation, look.said),
    }
    if any(_is_endless(look.name, answer.alias) for answer in look.said):
        chain = " → ".join((look.name, *look.said[0].alias))
        return failed(OWNERSHIP, question.domain, Reasons.ALIAS_LOOP, others=chain, **words)
    chance = observed.ownership_chance
    if look.values and chance is not None and chance.values == look.values:
        reason = Reasons.WILDCARD_ONLY
        return failed(OWNERSHIP, question.domain, reason, found=look.values, **words)
    for value in look.values:
        if fault := value_fault(value, expected):
            reason = Reasons.MISTYPED_VALUE
            both: dict[str, Any] = {"expected": expected, "found": (value,), "fault": fault}
            return failed(OWNERSHIP, question.domain, reason, **both, **words)
    elsewhere = _near_miss(question, observed, expected, words)
    if elsewhere is not None:
        return elsewhere
    reason = Reasons.OLD_RECORD if look.values else Reasons.MISSING_AT_AUTHORITY
    return failed(
        OWNERSHIP,
        question.domain,
        reason,
        expected=expected,
        found=look.values,
        others=", ".join(look.values)[:300],
        **words,
    )


def _near_miss(
    question: Question, observed: Observations, expected: str, words: dict[str, Any]
) -> CheckResult | None:
    hosts = tuple(one.host for one in question.hosts)
    zone = observed.delegation.zone
    places = near_misses.ownership_places(question.proof_at, zone, hosts)
    reasons = {place.name: place.reason for place in places}
    for look in observed.ownership_beside:
        if look.name in reasons and any(_means(value, expected) for value in look.values):
            return failed(
                OWNERSHIP,
                question.domain,
                reasons[look.name],
                place=look.name,
                expected=words["name"],
                found=(look.name,),
                **words,
            )
    return None


def _means(value: str, expected: str) -> bool:
    return value == expected or bool(value_fault(value, expected))


def _is_endless(name: str, alias: tuple[str, ...]) -> bool:
    names = (name, *alias)
    return len(alias) > MOST_ALIASES or len(set(names)) < len(names)


MOST_ALIASES = 8
