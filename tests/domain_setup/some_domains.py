"""Domains in every state that a page has to draw, with what a check would have left behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from portal.certificates.models import Certificate, CertificateOrder
from portal.custom_domains import reasons
from portal.custom_domains.models import (
    CustomDomainEvent,
    LLMClientCustomDomain,
    LLMClientCustomDomainDNS,
)
from portal.custom_domains.results import CheckResult, Checks, Reasons
from portal.database import db
from portal.llm_clients.models import LLMClient, LLMClientHost

Purposes = LLMClientCustomDomainDNS.Purposes
States = LLMClientCustomDomain.States
SERVERS = "ns1.lakeside-dns.example, ns2.lakeside-dns.example"
TOKEN = "7f2c91d0a4be4c53"
VALUE = f"llm-verify={TOKEN}"
EDGE = "edge.api.example.com"


def a_domain(account_id: int, name: str, now: datetime, **columns: Any) -> LLMClientCustomDomain:
    """A claimed domain with its ownership record, due in 38 s."""
    values = {
        "verification_token": TOKEN,
        "watched_since": now - timedelta(minutes=4),
        "next_attempt_at": now + timedelta(seconds=38),
        "zone_name": name,
        **columns,
    }
    domain = LLMClientCustomDomain(account_id=account_id, domain_name=name, **values)
    db.session.add(domain)
    db.session.flush()
    add_record(domain, Purposes.OWNERSHIP, f"_llm-verify.{name}", "TXT", VALUE)
    return domain


def add_record(
    domain: LLMClientCustomDomain, purpose: Any, name: str, type: str, value: str, **columns: Any
) -> None:
    domain.dns_records.append(
        LLMClientCustomDomainDNS(
            purpose=purpose, record_name=name, record_type=type, record_value=value, **columns
        )
    )
    db.session.flush()


def put_on(domain: LLMClientCustomDomain, llm_client: LLMClient) -> str:
    """Attach a client as the verbs would; its host."""
    llm_client.custom_domain = domain
    host = f"{llm_client.name.replace('_', '-')}.{domain.domain_name}"
    add_record(domain, Purposes.ROUTING, host, "CNAME", EDGE, host=host)
    return host


def passed(check: Checks, host: str, sentence: str, **values: Any) -> CheckResult:
    return reasons.passed(check, host, sentence, **values)


def two_servers(name: str) -> CheckResult:
    return passed(Checks.EXISTS, name, "Two name servers answer for it.", source=SERVERS)


def keep(domain: LLMClientCustomDomain, now: datetime, *results: CheckResult) -> None:
    """What a check 22 s ago came to."""
    domain.checked_at = now - timedelta(seconds=22)
    domain.check_results = [result.as_json() for result in results]


def one_level_too_deep(domain: LLMClientCustomDomain, host: str, now: datetime) -> None:
    """The example of the design: the proof is published under the domain twice."""
    name = domain.domain_name
    proof = f"_llm-verify.{name}"
    others = "check 2 passes"
    keep(
        domain,
        now,
        two_servers(name),
        reasons.failed(
            Checks.OWNERSHIP,
            proof,
            Reasons.DOUBLED_LABEL,
            expected=proof,
            found=(f"{proof}.{name}",),
            source="Both name servers, the same answer",
            type="TXT",
            place=f"{proof}.{name}",
            label="_llm-verify",
        ),
        passed(
            Checks.ROUTING,
            host,
            f"Points to {EDGE} everywhere we asked.",
            source="Both name servers and 3 public resolvers",
        ),
        passed(
            Checks.ISSUABLE,
            host,
            "No CAA record forbids it, no stray AAAA record, port 80 answers.",
            source=f"CAA at {name}: none",
        ),
        reasons.failed(Checks.HTTPS, host, Reasons.WAITS_FOR_OTHERS, others=others),
    )
    for record in domain.dns_records:
        is_routing = record.purpose == Purposes.ROUTING
        record.found = {"values": [EDGE] if is_routing else []}


def all_pass(domain: LLMClientCustomDomain, *hosts: str, now: datetime) -> None:
    """Everything is well with the domain and these hosts."""
    name = domain.domain_name
    domain.is_verified, domain.state = True, States.VERIFIED
    domain.verified_at = now - timedelta(days=2)
    per_host = [
        passed(check, host, sentence)
        for check, sentence in (
            (Checks.ROUTING, f"Points to {EDGE}."),
            (Checks.ISSUABLE, "Nothing forbids it."),
            (Checks.HTTPS, "Our certificate, from everywhere we asked."),
        )
        for host in hosts
    ]
    proof = passed(Checks.OWNERSHIP, f"_llm-verify.{name}", "The proof is there.", source=SERVERS)
    keep(domain, now, two_servers(name), proof, *per_host)
    domain.next_attempt_at = now + timedelta(hours=5)
    for record in domain.dns_records:
        record.found = {"values": [record.record_value]}


def open_host(
    domain: LLMClientCustomDomain, llm_client: LLMClient, host: str, now: datetime
) -> None:
    """The host answers visitors, with a certificate of 90 days."""
    llm_client.deployed = True
    db.session.add_all(
        [
            LLMClientHost(
                hostname=host,
                account_id=domain.account_id,
                llm_client=llm_client,
                custom_domain=domain,
                is_open=True,
                is_published=True,
            ),
            Certificate(
                account_id=domain.account_id,
                hostname=host,
                chain_pem="a chain",
                issuer="CN=Example CA R3",
                serial="04:ab:19:7f:22:c0:51:9e",
                not_before=now - timedelta(days=10),
                not_after=now + timedelta(days=80),
            ),
        ]
    )


def refused_renewal(domain: LLMClientCustomDomain, host: str, now: datetime) -> None:
    """The authority said no to the next certificate."""
    db.session.add(
        CertificateOrder(
            account_id=domain.account_id,
            name=host,
            failures=1,
            detail="too many certificates already issued",
            next_attempt_at=now + timedelta(minutes=10),
        )
    )


def note(domain: LLMClientCustomDomain, verdict: str, message: str) -> None:
    domain.events.append(CustomDomainEvent(verdict=verdict, message=message))
