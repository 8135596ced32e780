"""What several checks say of servers that could not be asked, disagree, or still remember. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from portal.custom_domains.observations import Look, server_names
from portal.custom_domains.reasons import failed
from portal.custom_domains.results import CheckResult, Checks, Reasons
from portal.dns import Answer, Delegation, Trouble

REASONS: dict[Trouble, Reasons] = {
    "servfail": Reasons.SERVFAIL,
    "refused": Reasons.REFUSED,
    "timeout": Reasons.TIMEOUT,
    "unreachable": Reasons.TIMEOUT,
    "lame": Reasons.LAME,
    "bogus": Reasons.DNSSEC_BOGUS,
}
IsRight = Callable[[Answer], bool]


def reason_of(trouble: Trouble) -> Reasons:
    """The reason for a server that said neither yes nor no."""
    return REASONS.get(trouble, Reasons.CANNOT_TELL)


def could_not_ask(check: Checks, host: str, look: Look, delegation: Delegation) -> CheckResult:
    """No server of the zone said yes or no."""
    first = look.trouble or Answer("could_not_ask")
    return failed(
        check,
        host,
        reason_of(first.trouble),
        name=look.name,
        source=server_names(delegation, look.authority),
        detail=first.detail,
    )


def zone_could_not_be_asked(check: Checks, host: str, delegation: Delegation) -> CheckResult:
    """It is not even known who serves the zone, or none of them can be asked."""
    known = bool(delegation.servers)
    return failed(
        check,
        host,
        reason_of(delegation.trouble) if known else Reasons.CANNOT_TELL,
        name=delegation.zone or host,
        source=", ".join(dict.fromkeys(name for name, _ in delegation.servers)),
        detail=delegation.detail,
    )


def disagreement(
    check: Checks,
    host: str,
    look: Look,
    is_right: IsRight,
    delegation: Delegation,
    *,
    expected: str,
) -> CheckResult | None:
    """Some servers have it right and some do not; None where they agree."""
    right = [one for one in look.said if is_right(one)]
    behind = [one for one in look.said if not is_right(one)]
    if not right or not behind:
        return None
    return failed(
        check,
        host,
        Reasons.AUTHORITIES_DISAGREE,
        name=look.name,
        type=look.type if check == Checks.OWNERSHIP else "routing",
        right=len(right),
        all=len(look.said),
        servers=server_names(delegation, behind),
        expected=expected,
        found=shown(look.type, behind),
        source=server_names(delegation, look.said),
    )


def still_cached(
    check: Checks,
    host: str,
    look: Look,
    is_right: IsRight,
    now: datetime,
    *,
    expected: str,
) -> CheckResult | None:
    """Right at the authority while a public resolver repeats what was there; None if none does."""
    behind = [one for one in look.public if one.status != "could_not_ask" and not is_right(one)]
    if not behind:
        return None
    lifetimes = [one.ttl for one in behind if one.ttl is not None]
    return failed(
        check,
        host,
        Reasons.STILL_CACHED,
        name=look.name,
        type=look.type if check == Checks.OWNERSHIP else "routing",
        expected=expected,
        found=shown(look.type, behind),
        source=", ".join(one.server for one in behind),
        clears_at=now + timedelta(seconds=max(lifetimes)) if lifetimes else None,
    )


def shown(type: str, answers: list[Answer]) -> tuple[str, ...]:
    """What was found, as a page lists it; of an address question the alias that led there."""
    found: list[str] = []
    for answer in answers:
        found += answer.alias[:1] if type != "TXT" and answer.alias else answer.values
    return tuple(dict.fromkeys(found))
