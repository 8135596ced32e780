"""The content of one authoritative zone and what it answers (RFC 1034 section 4.3.2). Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset

Node = Mapping[dns.rdatatype.RdataType, dns.rdataset.Rdataset]
Nodes = Mapping[dns.name.Name, Node]
WILDCARD = dns.name.Name((b"*",))
LONGEST_CHAIN = 8
SOA, NS, CNAME, ANY = (
    dns.rdatatype.SOA,
    dns.rdatatype.NS,
    dns.rdatatype.CNAME,
    dns.rdatatype.ANY,
)


@dataclass(frozen=True)
class Found:
    """What the zones say to one question: the three sections and whether the name exists."""

    answer: tuple[dns.rrset.RRset, ...] = ()
    authority: tuple[dns.rrset.RRset, ...] = ()
    additional: tuple[dns.rrset.RRset, ...] = ()
    exists: bool = True
    authoritative: bool = True


@dataclass(frozen=True)
class Zone:
    """An immutable snapshot, so that readers need no lock; an update makes the next one."""

    origin: dns.name.Name
    nodes: Nodes = field(repr=False)

    @cached_property
    def names(self) -> frozenset[dns.name.Name]:
        """Every existing name, empty non-terminals included (RFC 4592 section 2.2)."""
        return frozenset(name for owner in self.nodes for name in self._up_to_origin(owner))

    @property
    def soa(self) -> dns.rrset.RRset:
        """The start of authority, with the lifetime of a "no" as its TTL (RFC 2308)."""
        stored = self.nodes[self.origin][SOA]
        ttl = min(stored.ttl, stored[0].minimum)
        return dns.rrset.from_rdata(self.origin, ttl, stored[0])

    @property
    def serial(self) -> int:
        """Moves with each change."""
        return int(self.nodes[self.origin][SOA][0].serial)

    def node_for(self, name: dns.name.Name) -> Node | None:
        """The records at `name`, or of the wildcard that covers it; None where neither exists."""
        if name in self.names:
            return self.nodes.get(name, {})
        for ancestor in self._up_to_origin(name.parent()):
            if ancestor in self.names:
                return self.nodes.get(WILDCARD + ancestor)
        return None

    def delegation_of(self, name: dns.name.Name) -> dns.rrset.RRset | None:
        """The NS records of a child zone at or above `name`, the highest first."""
        for ancestor in reversed(tuple(self._up_to_origin(name))):
            servers = self.nodes.get(ancestor, {}).get(NS)
            if servers and ancestor != self.origin:
                return rrset_of(ancestor, servers)
        return None

    def with_nodes(self, nodes: Nodes) -> "Zone":
        """The next snapshot: new content, serial one up (RFC 1982)."""
        apex = dict(nodes[self.origin])
        soa = apex[SOA][0].replace(serial=(self.serial + 1) % 2**32 or 1)
        apex[SOA] = dns.rdataset.from_rdata(apex[SOA].ttl, soa)
        return replace(self, nodes={**nodes, self.origin: apex})

    def _up_to_origin(self, name: dns.name.Name) -> Iterator[dns.name.Name]:
        while name.is_subdomain(self.origin):
            yield name
            if name == self.origin:
                return
            name = name.parent()


def rrset_of(name: dns.name.Name, rdataset: dns.rdataset.Rdataset) -> dns.rrset.RRset:
    """The stored records under the name that was asked."""
    return dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))


def zone_of(zones: Iterable[Zone], name: dns.name.Name) -> Zone | None:
    """The closest enclosing zone of `name`."""
    enclosing = [zone for zone in zones if name.is_subdomain(zone.origin)]
    return max(enclosing, key=lambda zone: len(zone.origin), default=None)


def look_up(
    zones: Iterable[Zone], name: dns.name.Name, kind: dns.rdatatype.RdataType
) -> Found | None:
    """Answer a question from these zones, following aliases through them; None: not ours."""
    zones = tuple(zones)
    chain: list[dns.rrset.RRset] = []
    while zone := zone_of(zones, name):
        found = _in_zone(zone, name, kind)
        alias = _alias_of(found, kind)
        found = replace(found, answer=(*chain, *found.answer))
        if alias is None or len(chain) >= LONGEST_CHAIN:
            return found
        chain = list(found.answer)
        name = alias
    return Found(answer=tuple(chain)) if chain else None


def _in_zone(zone: Zone, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> Found:
    referral = zone.delegation_of(name)
    if referral is not None:
        return Found(authority=(referral,), additional=_glue(zone, referral), authoritative=False)
    node = zone.node_for(name)
    if node is None:
        return Found(authority=(zone.soa,), exists=False)
    wanted = _matching(node, kind)
    if not wanted:
        return Found(authority=(zone.soa,))
    return Found(answer=tuple(rrset_of(name, rdataset) for rdataset in wanted))


def _matching(node: Node, kind: dns.rdatatype.RdataType) -> list[dns.rdataset.Rdataset]:
    if kind == ANY:
        return list(node.values())
    found = node.get(kind) or node.get(CNAME)
    return [found] if found else []


def _alias_of(found: Found, kind: dns.rdatatype.RdataType) -> dns.name.Name | None:
    if kind in (CNAME, ANY) or not found.answer or found.answer[0].rdtype != CNAME:
        return None
    target: dns.name.Name = found.answer[0][0].target
    return target.canonicalize()


def _glue(zone: Zone, referral: dns.rrset.RRset) -> tuple[dns.rrset.RRset, ...]:
    return tuple(
        rrset_of(server.target, rdataset)
        for server in referral
        for kind, rdataset in zone.nodes.get(server.target.canonicalize(), {}).items()
        if kind in (dns.rdatatype.A, dns.rdatatype.AAAA)
    )
