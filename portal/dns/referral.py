"""What the servers of a zone say about a name: it has servers of its own, or it has not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from portal.dns.ask import UNREACHABLE, exchange, question_for
from portal.dns.values import absolute_name, plain_name

Said = Literal["cut", "no_cut", "no_name", "could_not_ask"]


@dataclass(frozen=True)
class Referral:
    """`cut`: the name is a zone with `servers`, some with their addresses in `glue`."""

    said: Said
    servers: tuple[str, ...] = ()
    glue: dict[str, tuple[str, ...]] = field(default_factory=dict)


def referral(server: tuple[str, int], name: str, timeout: float) -> Referral:
    """Ask one server of the zone above (RFC 1034 section 4.2.1); no recursion."""
    question = question_for(name, "NS", recursive=False)
    try:
        return read_referral(exchange(question, server, timeout), name)
    except UNREACHABLE:
        return Referral("could_not_ask")


def read_referral(response: dns.message.Message, name: str) -> Referral:
    """Turn a response to a question for NS records into what it says; pure."""
    wanted = absolute_name(name)
    for rrset in (*response.answer, *response.authority):
        if rrset.rdtype == dns.rdatatype.NS and rrset.name.canonicalize() == wanted:
            servers = sorted(plain_name(rdata.target) for rdata in rrset)
            return Referral("cut", tuple(servers), _glue(response, servers))
    if not response.flags & dns.flags.AA:
        return Referral("could_not_ask")
    if response.rcode() == dns.rcode.NXDOMAIN and not response.answer:
        return Referral("no_name")
    answered = response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    return Referral("no_cut" if answered else "could_not_ask")


def apex(response: dns.message.Message) -> str:
    """The zone that an authority answered from, by its start of authority; empty where unsaid."""
    for rrset in (*response.answer, *response.authority):
        if rrset.rdtype == dns.rdatatype.SOA and response.flags & dns.flags.AA:
            return plain_name(rrset.name)
    return ""


def zone_around(server: tuple[str, int], name: str, timeout: float) -> str:
    """The zone of `name` by its server itself; empty where it has none. Raises UNREACHABLE.

    The start of authority that comes with an alias is that of the alias's end. No alias is the top
    of a zone (RFC 1034 section 3.6.2), so its zone is the one around the name above.
    """
    response = exchange(question_for(name, "SOA", recursive=False), server, timeout)
    above = name.partition(".")[2]
    is_alias = any(rrset.rdtype == dns.rdatatype.CNAME for rrset in response.answer)
    return zone_around(server, above, timeout) if is_alias and above else apex(response)


def _glue(response: dns.message.Message, servers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for rrset in response.additional:
        owner = plain_name(rrset.name)
        if owner in servers and rrset.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            found.setdefault(owner, []).extend(rdata.address for rdata in rrset)
    return {name: tuple(addresses) for name, addresses in found.items()}
