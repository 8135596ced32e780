"""One question to one name server, and what its answer means."""

import time
from collections.abc import Iterator

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from portal.dns import Answer
from portal.dns.values import absolute_name, plain_name, record_type, value_of

UDP_PAYLOAD = 1232  # octets that pass unfragmented nearly everywhere (DNS flag day 2020)
FIRST_TRY = 0.35  # share of the time for the first datagram, in case it is lost
UNREACHABLE = (dns.exception.DNSException, OSError, EOFError)


def ask(
    server: tuple[str, int],
    name: str,
    type: str,
    *,
    recursive: bool,
    timeout: float,
    tcp: bool = False,
) -> Answer:
    """Ask `server` (address, port) within `timeout` seconds, by UDP and, if cut short, TCP.

    Without `recursive` only an authoritative answer counts (RFC 1034 section 6.2): a server that
    does not own the zone is "could not ask", as are errors, silence and a cut answer.
    """
    question = dns.message.make_query(
        absolute_name(name), record_type(type), payload=UDP_PAYLOAD, use_edns=0
    )
    if not recursive:
        question.flags &= ~dns.flags.RD
    try:
        response = _exchange(question, server, timeout, tcp)
    except UNREACHABLE as error:
        return could_not_ask(server, _words(error, timeout))
    return read_response(response, server, recursive)


def could_not_ask(server: tuple[str, int], detail: str) -> Answer:
    """The server said neither yes nor no."""
    return Answer("could_not_ask", server=server_text(server), detail=detail)


def server_text(server: tuple[str, int]) -> str:
    """The server as a reader knows it: without the port where it is the usual one."""
    host, port = server
    return host if port == 53 else f"{host}:{port}"


def read_response(
    response: dns.message.Message, server: tuple[str, int], recursive: bool
) -> Answer:
    """Turn a response into an Answer; pure."""
    trouble = _trouble(response, recursive)
    if trouble:
        return could_not_ask(server, trouble)
    chain, rrset = _follow(response)
    where = server_text(server)
    if rrset is not None:
        values = tuple(sorted(value_of(rdata) for rdata in rrset))
        return Answer("found", values, rrset.ttl, where, alias=chain)
    ttl = _negative_ttl(response)
    if response.rcode() == dns.rcode.NXDOMAIN:
        missing = chain[-1] if chain else plain_name(response.question[0].name)
        return Answer("no_name", (), ttl, where, f"{missing} does not exist", chain)
    detail = f"an alias of {chain[-1]}" if chain else ""
    return Answer("no_record", (), ttl, where, detail, chain)


def _exchange(
    question: dns.message.QueryMessage, server: tuple[str, int], timeout: float, tcp: bool
) -> dns.message.Message:
    deadline = time.monotonic() + timeout
    host, port = server
    if tcp:
        return dns.query.tcp(question, host, timeout=timeout, port=port)
    response = _by_udp(question, host, port, deadline, timeout)
    if not response.flags & dns.flags.TC:
        return response
    left = max(deadline - time.monotonic(), 0.05)
    return dns.query.tcp(question, host, timeout=left, port=port)


def _by_udp(
    question: dns.message.QueryMessage, host: str, port: int, deadline: float, timeout: float
) -> dns.message.Message:
    # ignore_errors: a forged or broken datagram is dropped, the wait for the true one goes on
    try:
        return dns.query.udp(
            question, host, timeout=timeout * FIRST_TRY, port=port, ignore_errors=True
        )
    except dns.exception.Timeout:
        left = max(deadline - time.monotonic(), 0.05)
        return dns.query.udp(question, host, timeout=left, port=port, ignore_errors=True)


def _trouble(response: dns.message.Message, recursive: bool) -> str:
    if response.flags & dns.flags.TC:
        return "the answer was cut short, by TCP too"
    code = response.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return f"the server answered {dns.rcode.to_text(code)}"
    authoritative = bool(response.flags & dns.flags.AA)
    if recursive and not authoritative and not response.flags & dns.flags.RA:
        return "the server does not resolve names for us"
    if not recursive and not authoritative:
        return "the server is not an authority for this name (lame delegation)"
    return ""


def _follow(response: dns.message.Message) -> tuple[tuple[str, ...], dns.rrset.RRset | None]:
    question = response.question[0]
    name, chain = question.name, tuple(_aliases(response, question.name))
    if chain and question.rdtype != dns.rdatatype.CNAME:
        name = absolute_name(chain[-1])
    rrset = response.get_rrset(response.answer, name, question.rdclass, question.rdtype)
    return (() if question.rdtype == dns.rdatatype.CNAME else chain), rrset


def _aliases(response: dns.message.Message, name: dns.name.Name) -> Iterator[str]:
    seen = {name}
    rdclass = response.question[0].rdclass
    while rrset := response.get_rrset(response.answer, name, rdclass, dns.rdatatype.CNAME):
        name = rrset[0].target
        yield plain_name(name)
        if name in seen:
            return
        seen.add(name)


def _negative_ttl(response: dns.message.Message) -> int | None:
    for rrset in response.authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            return int(min(rrset.ttl, rrset[0].minimum))
    return None


def _words(error: Exception, timeout: float) -> str:
    if isinstance(error, dns.exception.Timeout):
        return f"no usable answer within {timeout:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    return str(error) or type(error).__name__
