"""What the set-up page draws: records, hosts with certificates, the timeline. Rows to values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.certificates import expiring, seen
from portal.certificates.models import Certificate, CertificateOrder, SeenCertificate
from portal.custom_domains import record_keeping, records, surroundings, words
from portal.custom_domains.comparing import Part, difference
from portal.custom_domains.models import (
    CustomDomainEvent,
    LLMClientCustomDomain,
    LLMClientCustomDomainDNS,
)
from portal.custom_domains.results import CheckResult, Checks, Verdicts
from portal.database import current_settings
from portal.domain_setup.finding import KeptHost, ServedClient
from portal.formatting import FAILED, PROGRESS, StatusView, status_view
from portal.llm_clients.deployment import words as run_words
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.deployment.words import EventLine

Purposes = LLMClientCustomDomainDNS.Purposes
MOST_FOUND = 4
LIFE_LEFT_AT_RENEWAL = 3  # renewed when a third of the life is left
NOTES = {
    Purposes.OWNERSHIP: "Proves that the domain is yours. Keep it.",
    Purposes.ROUTING: "Leads visitors to us.",
    Purposes.WILDCARD: "Later clients need no record of their own.",
    Purposes.DELEGATION: "Gets the certificate before visitors move.",
}


@dataclass(frozen=True)
class RecordRow:
    """One record to enter: its short name, the rest of the full name, and what we found."""

    type: str
    ttl: int
    is_required: bool
    short: str
    rest: str
    name: str
    values: tuple[str, ...]
    note: str
    status: StatusView
    found: tuple[tuple[Part, ...], ...]


@dataclass(frozen=True)
class HostLine:
    """One client's host on the domain: whether it is open, and its certificate."""

    host: str
    url: str
    client_name: str
    client_id: str
    is_open: bool
    status: StatusView
    sentence: str
    issuer: str
    serial: str
    not_before: datetime | None
    not_after: datetime | None
    renews_at: datetime | None
    days_left: int | None
    trouble: str
    tries_again_at: datetime | None
    renewed_by: str = ""
    seen_at: datetime | None = None


def record_rows(
    custom_domain: LLMClientCustomDomain, results: Sequence[CheckResult]
) -> tuple[RecordRow, ...]:
    """The required ones first, in the order in which they are needed."""
    order = list(Purposes)
    ordered = sorted(
        custom_domain.dns_records,
        key=lambda record: (not record.is_required, order.index(record.purpose), record.id),
    )
    return tuple(
        _record_row(custom_domain, record, _result_of(record, results)) for record in ordered
    )


def _result_of(
    record: LLMClientCustomDomainDNS, results: Sequence[CheckResult]
) -> CheckResult | None:
    """The check that a record is there for; a wildcard is as good as the worst of its hosts."""
    if record.purpose == Purposes.OWNERSHIP:
        return next((one for one in results if one.check == Checks.OWNERSHIP), None)
    routing = [one for one in results if one.check == Checks.ROUTING]
    if record.purpose == Purposes.ROUTING:
        routing = [one for one in routing if one.host == record.host]
    is_checked = record.purpose in (Purposes.ROUTING, Purposes.WILDCARD)
    return min(routing, key=words.rank, default=None) if is_checked else None


def _record_row(
    custom_domain: LLMClientCustomDomain,
    record: LLMClientCustomDomainDNS,
    result: CheckResult | None,
) -> RecordRow:
    zone = records.zone_guess(custom_domain.domain_name, custom_domain.zone_name)
    short = records.short_label(record.record_name, zone)
    wanted = record_keeping.values_of(record)
    seen = found_values(record)
    return RecordRow(
        type=record.record_type,
        ttl=record.record_ttl,
        is_required=record.is_required,
        short=short,
        rest=zone if short == "@" else record.record_name.removeprefix(short),
        name=record.record_name,
        values=wanted,
        note=_note(record),
        status=words.record_word(
            result, wanted, seen if record.found else None, is_required=record.is_required
        ),
        found=tuple(_compared(value, wanted, result) for value in seen[:MOST_FOUND]),
    )


def _note(record: LLMClientCustomDomainDNS) -> str:
    """What it is for; at the top of a zone also what may stand there in its place."""
    if record.purpose == Purposes.ROUTING and record.record_type != "CNAME":
        target = surroundings.target_of(current_settings())
        return records.APEX.format(target=target.edge_host)
    return NOTES[record.purpose]


def _compared(value: str, wanted: Sequence[str], result: CheckResult | None) -> tuple[Part, ...]:
    """What was found, its difference marked where the check says that it is wrong."""
    if value in wanted or result is None or result.verdict == Verdicts.PASS:
        return (Part(value),)
    return difference(result.expected or wanted[0], value)[1]


def found_values(record: LLMClientCustomDomainDNS) -> tuple[str, ...]:
    """What the last look found under the record's name and type."""
    return tuple(str(value) for value in (record.found or {}).get("values", ()))


def host_line(
    served: ServedClient, host: str, url: str, kept: KeptHost | None, now: datetime
) -> HostLine:
    """A host as step 4 shows it."""
    keeper = seen.keeper()
    certificate = (kept.seen if keeper else kept.certificate) if kept else None
    order = kept.order if kept else None
    is_open = kept is not None and kept.host.is_open and served.llm_client.deployed
    status, sentence = _host_status(served, is_open)
    return HostLine(
        host=host,
        url=url,
        client_name=served.llm_client.name,
        client_id=served.llm_client.hashed_id,
        is_open=is_open,
        status=status,
        sentence=sentence,
        issuer=certificate.issuer.removeprefix("CN=") if certificate else "",
        serial=certificate.serial if certificate else "",
        not_before=certificate.not_before if certificate else None,
        not_after=certificate.not_after if certificate else None,
        renews_at=None if keeper else _renewal_of(certificate, order),
        days_left=_days_left(certificate, now),
        trouble=order.detail or order.message if order and order.failures else "",
        tries_again_at=order.next_attempt_at if order and order.failures else None,
        renewed_by=keeper,
        seen_at=kept.seen.seen_at if keeper and kept and kept.seen else None,
    )


def _days_left(certificate: Certificate | SeenCertificate | None, now: datetime) -> int | None:
    """Days until the end of a certificate that should have been renewed; None while all is well."""
    if certificate is None or certificate.not_before is None or certificate.not_after is None:
        return None
    if expiring.reached(certificate, now) is None:
        return None
    return expiring.days_left(certificate, now)


def _renewal_of(
    certificate: Certificate | SeenCertificate | None, order: CertificateOrder | None
) -> datetime | None:
    """When the next certificate is asked for: as planned, else when a third of the life is left."""
    if certificate is None or certificate.not_before is None or certificate.not_after is None:
        return None
    if order is not None and order.renew_at is not None:
        return order.renew_at
    life = certificate.not_after - certificate.not_before
    return certificate.not_after - life / LIFE_LEFT_AT_RENEWAL


def _host_status(served: ServedClient, is_open: bool) -> tuple[StatusView, str]:
    run, llm_client = served.run, served.llm_client
    if run is not None and run.is_active:
        position = run.plan.index(run.step) + 1 if run.step in run.plan else 1
        sentence = f"Step {position} of {len(run.plan)}. {run.message}".strip()
        return PROGRESS, sentence
    if is_open:
        return status_view("ready", "Open"), "Visitors are answered here."
    if run is not None and run.state == Deployment.States.FAILED:
        who = run_words.WHO.get(run.who_acts, "")
        return FAILED, " ".join(part for part in (run.message, who) if part)
    if not llm_client.deployed:
        return status_view("off", "Not deployed"), f"It opens when {llm_client.name} is deployed."
    return status_view("off", "Not yet"), "Opens when the checks pass."


def event_lines(
    events: Sequence[CustomDomainEvent], served: Sequence[ServedClient]
) -> list[EventLine]:
    """The timeline, newest first: what changed at the domain, and the ends of runs on it."""
    lines = [EventLine(event.created_at, event.message, _event_look(event)) for event in events]
    lines += [
        EventLine(one.run.finished_at, _run_sentence(one, one.run), RUN_LOOKS[one.run.state])
        for one in served
        if one.run is not None and one.run.finished_at is not None
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)


EVENT_LOOKS: Mapping[str, StatusView] = {
    "pass": status_view("ready", "Pass"),
    "wait": status_view("progress", "Waiting"),
    "wrong": status_view("waiting", "Wrong"),
    "cannot_tell": status_view("attention", "Cannot tell"),
}
RUN_LOOKS = {
    Deployment.States.DONE: status_view("ready", "Done"),
    Deployment.States.FAILED: FAILED,
    Deployment.States.CANCELLED: status_view("off", "Cancelled"),
    Deployment.States.ACTIVE: PROGRESS,
}


def _event_look(event: CustomDomainEvent) -> StatusView:
    return EVENT_LOOKS.get(event.verdict, status_view("off", "Noted"))


def _run_sentence(served: ServedClient, run: Deployment) -> str:
    what = "put on the domain" if run.kind == Deployment.Kinds.DEPLOY else "taken off the domain"
    ends = {
        Deployment.States.DONE: f"{served.llm_client.name} was {what}.",
        Deployment.States.FAILED: f"{served.llm_client.name} could not be {what}. {run.message}",
        Deployment.States.CANCELLED: f"{served.llm_client.name}: the run was cancelled.",
    }
    return ends.get(run.state, run.message)
