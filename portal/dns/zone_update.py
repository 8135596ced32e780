"""Dynamic updates on a zone snapshot: prerequisites and changes of RFC 2136 section 3. Pure."""

from collections import defaultdict

import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.update

from portal.dns.zone import ANY, CNAME, NS, SOA, Node, Nodes, Zone

SERVED = frozenset(
    {
        dns.rdatatype.A,
        dns.rdatatype.AAAA,
        dns.rdatatype.CAA,
        dns.rdatatype.CNAME,
        dns.rdatatype.NS,
        dns.rdatatype.TXT,
    }
)
EditableNodes = dict[dns.name.Name, dict[dns.rdatatype.RdataType, dns.rdataset.Rdataset]]


class UpdateRefused(Exception):
    """Nothing was changed; `rcode` is the answer (RFC 2136 section 2.2)."""

    def __init__(self, rcode: dns.rcode.Rcode) -> None:
        super().__init__(dns.rcode.to_text(rcode))
        self.rcode = rcode


def updated(zone: Zone, update: dns.update.UpdateMessage) -> Zone:
    """The next snapshot, or the same one where nothing changes; raises UpdateRefused."""
    _check_prerequisites(zone, update.prerequisite)
    for rrset in update.update:
        _scan(zone, rrset)
    nodes: EditableNodes = {name: dict(node) for name, node in zone.nodes.items()}
    for rrset in update.update:
        _apply(zone, nodes, rrset)
    nodes = {name: node for name, node in nodes.items() if node}
    return zone if _same(zone, nodes) else zone.with_nodes(nodes)


def _check_prerequisites(zone: Zone, prerequisites: list[dns.rrset.RRset]) -> None:
    exact: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], set[dns.rdata.Rdata]] = defaultdict(
        set
    )
    for rrset in prerequisites:
        name = _inside(zone, rrset.name)
        node = zone.nodes.get(name, {})
        if rrset.deleting is None:
            exact[name, rrset.rdtype].update(rrset)
        elif rrset.deleting == dns.rdataclass.ANY:
            _require_present(node, rrset.rdtype)
        else:
            _require_absent(node, rrset.rdtype)
    for (name, kind), wanted in exact.items():
        if set(zone.nodes.get(name, {}).get(kind, ())) != wanted:
            raise UpdateRefused(dns.rcode.NXRRSET)


def _require_present(node: Node, kind: dns.rdatatype.RdataType) -> None:
    if kind == ANY and not node:
        raise UpdateRefused(dns.rcode.NXDOMAIN)
    if kind not in (ANY, *node):
        raise UpdateRefused(dns.rcode.NXRRSET)


def _require_absent(node: Node, kind: dns.rdatatype.RdataType) -> None:
    if kind == ANY and node:
        raise UpdateRefused(dns.rcode.YXDOMAIN)
    if kind in node:
        raise UpdateRefused(dns.rcode.YXRRSET)


def _scan(zone: Zone, rrset: dns.rrset.RRset) -> None:
    _inside(zone, rrset.name)
    if rrset.deleting is None and rrset.rdtype not in SERVED:
        raise UpdateRefused(dns.rcode.REFUSED)


def _apply(zone: Zone, nodes: EditableNodes, rrset: dns.rrset.RRset) -> None:
    name = rrset.name.canonicalize()
    node = nodes.setdefault(name, {})
    kept = {SOA, NS} if name == zone.origin else set()
    if rrset.deleting is None:
        _add(node, rrset)
    elif rrset.deleting == dns.rdataclass.ANY:
        for kind in list(node) if rrset.rdtype == ANY else [rrset.rdtype]:
            if kind not in kept:
                node.pop(kind, None)
    elif rrset.rdtype not in kept:
        _remove(node, rrset)


def _add(node: dict[dns.rdatatype.RdataType, dns.rdataset.Rdataset], new: dns.rrset.RRset) -> None:
    # RFC 2136 section 3.4.2.2: an alias beside other records is silently left out
    others = set(node) - {CNAME}
    if (new.rdtype == CNAME and others) or (new.rdtype != CNAME and CNAME in node):
        return
    before = [] if new.rdtype == CNAME else list(node.get(new.rdtype, ()))
    node[new.rdtype] = dns.rdataset.from_rdata_list(new.ttl, [*before, *new])


def _remove(
    node: dict[dns.rdatatype.RdataType, dns.rdataset.Rdataset], gone: dns.rrset.RRset
) -> None:
    stored = node.pop(gone.rdtype, None)
    left = [rdata for rdata in stored or () if rdata not in set(gone)]
    if stored and left:
        node[gone.rdtype] = dns.rdataset.from_rdata_list(stored.ttl, left)


def _inside(zone: Zone, name: dns.name.Name) -> dns.name.Name:
    if not name.is_subdomain(zone.origin):
        raise UpdateRefused(dns.rcode.NOTZONE)
    return name.canonicalize()


def _same(zone: Zone, nodes: EditableNodes) -> bool:
    return _with_ttl(zone.nodes) == _with_ttl(nodes)


def _with_ttl(nodes: Nodes) -> dict[object, object]:
    return {
        (name, kind): (rdataset.ttl, set(rdataset))
        for name, node in nodes.items()
        for kind, rdataset in node.items()
    }
