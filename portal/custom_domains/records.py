"""Which records a domain needs, and how a person is told them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.custom_domains import names
from portal.custom_domains.models import LLMClientCustomDomainDNS

Purposes = LLMClientCustomDomainDNS.Purposes
OWNERSHIP_LABEL = "_llm-verify"
TOKEN_PREFIX = "llm-verify="  # noqa: S105 - what everybody's begins with
CHALLENGE_LABEL = "_acme-challenge"
TTL = 300
STAYS = "It has to stay for as long as the domain is used."
BEFORE_TRAFFIC = "Gets the certificate before visitors are sent here."
APEX = (
    "A CNAME is not allowed here. If your DNS provider offers ALIAS, ANAME or a flattened CNAME,"
    " use that to {target} in its place: it follows when our addresses change."
)


@dataclass(frozen=True)
class Target:
    """Where the platform wants traffic and challenges to go."""

    edge_host: str
    edge_addresses: tuple[str, ...]
    acme_domain: str


@dataclass(frozen=True)
class Wish:
    """What a domain is set up for. `zone` is empty while nobody has found it.

    `ownership_at` is the name whose owner decides: the domain, or a parent that somebody else
    holds. `covered_by` is a verified parent of the same account: no proof of its own is needed.
    """

    domain: str
    token: str
    hosts: tuple[str, ...]
    zone: str = ""
    ownership_at: str = ""
    covered_by: str = ""
    wildcard: bool = False
    delegation: bool = False
    challenge_label: str = ""


@dataclass(frozen=True)
class NeededRecord:
    """One set of records as it should be; `values` has several only for addresses."""

    purpose: Purposes
    name: str
    type: str
    values: tuple[str, ...]
    host: str = ""
    is_required: bool = True
    ttl: int = TTL
    remark: str = ""


def ownership_name(domain: str) -> str:
    """Where the proof of a domain is published."""
    return f"{OWNERSHIP_LABEL}.{domain}"


def ownership_value(token: str) -> str:
    return TOKEN_PREFIX + token


def is_zone_top(host: str, zone: str) -> bool:
    """Whether a CNAME cannot stand at `host`: the top of a zone has other records already."""
    return host == zone if zone else names.is_apex(host)


def needed_records(wish: Wish, target: Target) -> tuple[NeededRecord, ...]:
    """The records in the order in which they are best entered; no two of one name and type."""
    found = [_ownership(wish)]
    if wish.wildcard:
        found.append(_wildcard(wish, target))
    for host in wish.hosts:
        if not (wish.wildcard and _wildcard_covers(host, wish)):
            found += _routing(host, wish, target)
    if wish.delegation and wish.challenge_label:
        found += _delegations(wish, target)
    return tuple({(one.name, one.type): one for one in found}.values())


def _ownership(wish: Wish) -> NeededRecord:
    return NeededRecord(
        Purposes.OWNERSHIP,
        ownership_name(wish.ownership_at or wish.domain),
        "TXT",
        (ownership_value(wish.token),),
        is_required=not wish.covered_by,
        remark=STAYS,
    )


def _wildcard(wish: Wish, target: Target) -> NeededRecord:
    return NeededRecord(
        Purposes.WILDCARD,
        f"*.{wish.domain}",
        "CNAME",
        (target.edge_host,),
        remark="One record for every client on this domain, now and later.",
    )


def _wildcard_covers(host: str, wish: Wish) -> bool:
    """A wildcard stands for names below the domain, not for a zone of its own (RFC 4592)."""
    return host != wish.domain and not is_zone_top(host, wish.zone)


def _routing(host: str, wish: Wish, target: Target) -> list[NeededRecord]:
    if not is_zone_top(host, wish.zone):
        values = (target.edge_host,)
        return [NeededRecord(Purposes.ROUTING, host, "CNAME", values, host)]
    four = tuple(sorted(one for one in target.edge_addresses if ":" not in one))
    six = tuple(sorted(one for one in target.edge_addresses if ":" in one))
    remark = APEX.format(target=target.edge_host)
    return [
        NeededRecord(Purposes.ROUTING, host, kind, values, host, remark=remark)
        for kind, values in (("A", four), ("AAAA", six))
        if values
    ]


def _delegations(wish: Wish, target: Target) -> list[NeededRecord]:
    places = (wish.domain,) if wish.wildcard else wish.hosts
    return [
        NeededRecord(
            Purposes.DELEGATION,
            f"{CHALLENGE_LABEL}.{place}",
            "CNAME",
            (f"{wish.challenge_label}.{target.acme_domain}",),
            "" if wish.wildcard else place,
            is_required=False,
            remark=BEFORE_TRAFFIC,
        )
        for place in places
    ]


def short_label(name: str, zone: str) -> str:
    """What a DNS panel wants in its name field: relative to the zone, `@` for the zone itself."""
    if name == zone:
        return "@"
    return name.removesuffix(f".{zone}") if zone else name


def zone_guess(domain: str, zone: str) -> str:
    """The zone that was found, or the one that a domain most likely lies in."""
    return zone or names.registrable_domain(domain)


def zone_file(needed: Iterable[NeededRecord], domain: str) -> str:
    """The records in master file format (RFC 1035 section 5), to import or to paste."""
    lines = [f"; Records for {domain}"]
    for record in needed:
        if not record.is_required:
            lines.append("; optional:")
        lines += [
            f"{record.name}. {record.ttl} IN {record.type} {_presented(record.type, value)}"
            for value in record.values
        ]
    return "\n".join(lines) + "\n"


def mail_text(needed: Iterable[NeededRecord], domain: str, zone: str, link: str = "") -> str:
    """The same as plain text, for somebody who was asked to enter them; sent by nobody here."""
    where = zone_guess(domain, zone)
    parts = [
        f"These records are needed in the DNS of {where}.",
        "The name servers stay where they are. Most DNS panels add the domain by themselves:"
        " enter the short name there.",
    ]
    for number, record in enumerate(needed, start=1):
        lines = [
            f"{number}. Type: {record.type}{'' if record.is_required else ' (optional)'}",
            f"   Short name: {short_label(record.name, where)}",
            f"   Full name: {record.name}",
            *(f"   Value: {value}" for value in record.values),
            f"   TTL: {record.ttl}",
        ]
        parts.append("\n".join([*lines, *([f"   {record.remark}"] if record.remark else [])]))
    if link:
        parts.append(f"What is still missing can be seen here: {link}")
    return "\n\n".join(parts) + "\n"


def _presented(type: str, value: str) -> str:
    if type == "TXT":
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return f"{value}." if type == "CNAME" else value
