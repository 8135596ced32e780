"""Checks 4 and 5: may a certificate be issued for a host, and is it what visitors get? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from portal.custom_domains import records, troubles
from portal.custom_domains.hosts import DomainHost
from portal.custom_domains.observations import HostSeen, Question
from portal.custom_domains.reasons import failed, passed
from portal.custom_domains.results import CheckResult, Checks, Reasons, Verdicts
from portal.custom_domains.routing import leads_to
from portal.tls.probe import Probe

ISSUABLE, HTTPS = Checks.ISSUABLE, Checks.HTTPS
IN_ORDER = {check: number for number, check in enumerate(Checks, start=1)}
AWAITS_RECORD = "awaiting_owner"
RATE_LIMITED = ("rate_limited", Reasons.CA_RATE_LIMIT.value)


def waits_on(earlier: Iterable[CheckResult]) -> str:
    """The first of the checks that a later one has to wait for, in words; "" for none."""
    for result in earlier:
        cached = result.reason == Reasons.STILL_CACHED
        if result.verdict != Verdicts.PASS and not cached:
            return f"check {IN_ORDER[result.check]} passes"
    return ""


def check_issuable(
    question: Question, seen: HostSeen, earlier: tuple[CheckResult, ...], now: datetime
) -> CheckResult:
    """The row of one host: CAA, IPv6, the way of the authority's question."""
    host = seen.host.host
    if forbidden := _forbidden(question, seen):
        return forbidden
    if missing := waits_on(earlier):
        return failed(ISSUABLE, host, Reasons.WAITS_FOR_OTHERS, others=missing)
    return (
        _stray(question, seen)
        or _blocked(question, seen)
        or _limited(seen, now)
        or passed(ISSUABLE, host, _all_clear(question, seen), detail=_allowed_by(seen))
    )


def check_https(
    question: Question, seen: HostSeen, earlier: tuple[CheckResult, ...]
) -> CheckResult:
    """The row of one host: a visitor's own handshake, at the edge and where the name leads."""
    host = seen.host
    if missing := waits_on(earlier):
        return failed(HTTPS, host.host, Reasons.WAITS_FOR_OTHERS, others=missing)
    if not host.is_wanted_open:
        return failed(HTTPS, host.host, Reasons.NOT_DEPLOYED)
    if not host.chain_pem and not (seen.visited and seen.visited.ok):
        return _without_certificate(seen)
    for probe in (seen.edge, seen.visited):
        if probe is not None and (wrong := _wrong_certificate(host.host, host.serial, probe)):
            return wrong
    probe = seen.visited or seen.edge
    if probe is None:
        return failed(HTTPS, host.host, Reasons.CANNOT_TELL)
    if other := _other_client(seen):
        return other
    source, detail = seen.visited_address, seen.identity.detail
    sentence = _who_answers(seen)
    return passed(HTTPS, host.host, sentence, found=probe.names, source=source, detail=detail)


def _forbidden(question: Question, seen: HostSeen) -> CheckResult | None:
    caa, host = seen.caa, seen.host.host
    if not question.caa_domains or caa is None:
        return None
    if caa.trouble:
        reason = troubles.reason_of(caa.trouble)
        return failed(ISSUABLE, host, reason, name=caa.name or host, detail=caa.detail)
    if caa.allows(question.caa_domains, wildcard=question.wildcard):
        return None
    return failed(
        ISSUABLE,
        host,
        Reasons.CAA_FORBIDS,
        level=caa.name,
        others=", ".join(caa.values),
        value=f'0 issue "{question.caa_domains[0]}"',
        expected=f'0 issue "{question.caa_domains[0]}"',
        found=caa.values,
        source=caa.name,
    )


def _stray(question: Question, seen: HostSeen) -> CheckResult | None:
    """IPv6 is what an authority asks first, and half of the visitors."""
    wrong = [one for one in seen.aaaa.said if one.values and not leads_to(question.target, one)]
    if not wrong:
        return None
    host = seen.host.host
    foreign = sorted({value for one in wrong for value in one.values})
    ours = tuple(one for one in question.target.edge_addresses if ":" in one)
    return failed(
        ISSUABLE,
        host,
        Reasons.STRAY_AAAA,
        label=records.short_label(host, seen.delegation.zone),
        others=", ".join(foreign),
        expected=", ".join(ours) or "no AAAA record",
        found=tuple(foreign),
    )


def _is_delegated(question: Question, seen: HostSeen) -> bool:
    look = seen.delegated_challenge
    target = f"{question.challenge_label}.{question.target.acme_domain}"
    said = look.said if look is not None and question.challenge_label else ()
    return bool(said) and all(target in (*one.alias, *one.values) for one in said)


def _blocked(question: Question, seen: HostSeen) -> CheckResult | None:
    """Something stands between the authority's question on port 80 and us."""
    if not question.needs_port_80 or _is_delegated(question, seen):
        return None
    host, answer = seen.host.host, seen.challenge
    if answer.outcome in ("closed", "timeout", "unreachable"):
        reason = Reasons.PORT_80_CLOSED
        return failed(ISSUABLE, host, reason, address=answer.address, detail=answer.detail)
    if answer.outcome in ("redirected", "other"):
        reason = Reasons.CHALLENGE_REDIRECTED
        return failed(ISSUABLE, host, reason, source=answer.address, detail=answer.detail)
    return None


def _limited(seen: HostSeen, now: datetime) -> CheckResult | None:
    """The authority has a limit that is reached, and it is known until when."""
    host, until = seen.host, seen.host.next_certificate_attempt_at
    is_over = until is None or until <= now
    if host.certificate_reason not in RATE_LIMITED or host.chain_pem or is_over:
        return None
    reason, detail = Reasons.CA_RATE_LIMIT, host.certificate_detail
    return failed(ISSUABLE, host.host, reason, detail=detail, clears_at=until)


def _without_certificate(seen: HostSeen) -> CheckResult:
    """Not issued yet; where the authority said why, in its own words."""
    host = seen.host
    if host.is_certificate_refused:
        return failed(
            HTTPS,
            host.host,
            Reasons.CA_REFUSED,
            detail=host.certificate_detail or host.certificate_reason,
            clears_at=host.next_certificate_attempt_at,
        )
    if host.certificate_reason == AWAITS_RECORD:
        return _awaits_record(host, seen.delegation.zone)
    others, detail = "the certificate is there", host.certificate_detail
    return failed(HTTPS, host.host, Reasons.WAITS_FOR_OTHERS, others=others, detail=detail)


def _awaits_record(host: DomainHost, zone: str) -> CheckResult:
    """The order is open, and the customer has to enter what the authority wants to see."""
    name, _, value = host.certificate_detail.partition(" TXT ")
    return failed(
        HTTPS,
        host.host,
        Reasons.MISSING_AT_AUTHORITY,
        type="TXT",
        name=name,
        label=records.short_label(name, zone),
        value=value,
        expected=value,
    )


def _all_clear(question: Question, seen: HostSeen) -> str:
    if seen.host.chain_pem:
        return "Issued. Nothing stands in the way of its renewal."
    if _is_delegated(question, seen):
        return "No CAA record forbids it, and the challenge is delegated to us."
    if seen.challenge.outcome == "ours":
        return "No CAA record forbids it, there is no stray AAAA record, port 80 answers."
    return "Nothing that we can see forbids it."


def _allowed_by(seen: HostSeen) -> str:
    if seen.caa is None:
        return ""
    if not seen.caa.values:
        return "There is no CAA record."
    return f"CAA at {seen.caa.name}: {', '.join(seen.caa.values)}"


def _wrong_certificate(host: str, serial: str, probe: Probe) -> CheckResult | None:
    if probe.reason == "not_yet_valid":
        return failed(HTTPS, host, Reasons.CLOCK_SKEW, detail=probe.message)
    served_another = bool(serial) and probe.ok and not _same(serial, probe.serial)
    if probe.ok and not served_another:
        return None
    detail = "An older certificate is served." if served_another else probe.message
    return failed(HTTPS, host, Reasons.NOT_YET_SERVED, detail=detail, found=probe.names)


def _other_client(seen: HostSeen) -> CheckResult | None:
    """The host says itself that it answers for another client; silence is no such word."""
    said, expected = seen.identity.public_id, seen.host.client_public_id
    if not said or said == expected:
        return None
    return failed(
        HTTPS,
        seen.host.host,
        Reasons.OTHER_CLIENT,
        others=said,
        expected=expected,
        found=(said,),
        source=seen.visited_address,
    )


def _who_answers(seen: HostSeen) -> str:
    name, certified = seen.host.llm_client_name, f"{seen.host.host} answers with our certificate"
    if seen.identity.public_id:
        return f"{certified} and says that it is {name}."
    if seen.identity.detail:
        return f"{certified} for {name}. We could not ask it which client it is."
    return f"{certified} for {name}."


def _same(left: str, right: str) -> bool:
    """Serial numbers in hexadecimal, with or without colons and leading zeros."""
    bare = [one.lower().replace(":", "").lstrip("0") for one in (left, right)]
    return bare[0] == bare[1]


def next_look_helps(now: datetime, results: Iterable[CheckResult]) -> datetime | None:
    """When the first cache or limit ends that a check waits for; None where none is known."""
    times = [one.clears_at for one in results if one.clears_at and one.clears_at > now]
    return min(times, default=None)
