"""One question to one name server, and what its answer means."""

import time
from collections.abc import Iterator

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

# Loaded where they are first met otherwise: in each job anew, since a worker forks.
import dns.rdtypes.ANY.CAA
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.NS
import dns.rdtypes.ANY.SOA
import dns.rdtypes.ANY.TXT
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rrset

from portal.dns import Answer, Trouble
from portal.dns.values import absolute_name, plain_name, record_type, value_of

UDP_PAYLOAD = 1232  # octets that pass unfragmented nearly everywhere (DNS flag day 2020)
FIRST_TRY = 0.35  # share of the time for the first datagram, in case it is lost
LARGEST_ANSWER = 16 * 1024  # characters of all values together; what is more is left out
LONGEST_CHAIN = 8  # aliases
WITHOUT_EDNS = (dns.rcode.FORMERR, dns.rcode.NOTIMP)
UNREACHABLE = (dns.exception.DNSException, OSError, EOFError)
TROUBLES: dict[dns.rcode.Rcode, Trouble] = {dns.rcode.REFUSED: "refused"}


def ask(
    server: tuple[str, int],
    name: str,
    type: str,
    *,
    recursive: bool,
    timeout: float,
    tcp: bool = False,
    checking: bool = True,
    zone: str | None = None,
) -> Answer:
    """Ask `server` (address, port) within `timeout` seconds, by UDP and, if cut short, TCP.

    Without `recursive` only an authoritative answer counts (RFC 1034 section 6.2): a server that
    does not own the zone is "could not ask", as are errors, silence and a cut answer. With `zone`
    only what the server says about names in that zone is believed. Without `checking` a validating
    resolver leaves the signatures alone (CD, RFC 4035 section 3.2.2).
    """
    question = question_for(name, type, recursive=recursive, checking=checking)
    try:
        response = exchange(question, server, timeout, tcp=tcp)
    except UNREACHABLE as error:
        return could_not_ask(server, _words(error, timeout), trouble_of(error))
    return read_response(response, server, recursive, zone)


def question_for(
    name: str, type: str, *, recursive: bool, checking: bool = True
) -> dns.message.QueryMessage:
    """The message that asks; with EDNS, without a request for signatures."""
    question = dns.message.make_query(
        absolute_name(name), record_type(type), payload=UDP_PAYLOAD, use_edns=0
    )
    if not recursive:
        question.flags &= ~dns.flags.RD
    if not checking:
        question.flags |= dns.flags.CD
    return question


def could_not_ask(server: tuple[str, int], detail: str, trouble: Trouble = "unreachable") -> Answer:
    """The server said neither yes nor no."""
    return Answer("could_not_ask", server=server_text(server), detail=detail, trouble=trouble)


def server_text(server: tuple[str, int]) -> str:
    """The server as a reader knows it: without the port where it is the usual one."""
    host, port = server
    return host if port == 53 else f"{host}:{port}"


def read_response(
    response: dns.message.Message,
    server: tuple[str, int],
    recursive: bool,
    zone: str | None = None,
) -> Answer:
    """Turn a response into an Answer; pure."""
    if not response.question:
        words = f"the server answered {dns.rcode.to_text(response.rcode())} to no question"
        return could_not_ask(server, words, TROUBLES.get(response.rcode(), "servfail"))
    chain, ttl, rrset = _follow(response, zone)
    where, asked = server_text(server), plain_name(response.question[0].name)
    if leads_nowhere(asked, chain) and not response.flags & dns.flags.TC:
        # BIND answers SERVFAIL to a circle, knot and others NOERROR
        return Answer("no_record", (), ttl, where, chain_words(asked, chain), chain)
    failed = _failure(response, server, recursive)
    if failed:
        return failed
    if rrset is not None:
        values, left_out = _bounded(sorted(value_of(rdata) for rdata in rrset))
        return Answer("found", values, max(ttl, rrset.ttl), where, left_out, chain)
    negative = _negative_ttl(response)
    if chain and zone is not None and not lies_in(chain[-1], zone):
        return Answer("no_record", (), ttl, where, f"an alias of {chain[-1]}", chain)
    if response.rcode() == dns.rcode.NXDOMAIN:
        missing = chain[-1] if chain else asked
        return Answer("no_name", (), negative, where, f"{missing} does not exist", chain)
    return Answer("no_record", (), negative, where, chain_words(asked, chain), chain)


def leads_nowhere(name: str, chain: tuple[str, ...]) -> bool:
    """Whether it is no use to follow these aliases any further."""
    return runs_in_a_circle(name, chain) or len(chain) > LONGEST_CHAIN


def chain_words(name: str, chain: tuple[str, ...]) -> str:
    """What a reader has to know of aliases that lead to nothing."""
    if runs_in_a_circle(name, chain):
        return f"the aliases run in a circle: {' → '.join((name, *chain))}"
    if len(chain) > LONGEST_CHAIN:
        return f"more than {LONGEST_CHAIN} aliases in a row"
    return f"an alias of {chain[-1]}" if chain else ""


def runs_in_a_circle(name: str, chain: tuple[str, ...]) -> bool:
    """Whether the aliases of an Answer come back to where they have been."""
    names = (plain_name(absolute_name(name)), *chain)
    return len(set(names)) < len(names)


def lies_in(name: str, zone: str) -> bool:
    """Whether the name is the zone's own or one below it."""
    return absolute_name(name).is_subdomain(absolute_name(zone))


def exchange(
    question: dns.message.QueryMessage,
    server: tuple[str, int],
    timeout: float,
    *,
    tcp: bool = False,
) -> dns.message.Message:
    """Send and wait `timeout` seconds in all for the whole answer; raises one of UNREACHABLE.

    A server that does not know EDNS is asked again without it (RFC 6891 section 6.2.2).
    """
    deadline = time.monotonic() + timeout
    response = _send(question, server, deadline, timeout, tcp)
    if response.rcode() in WITHOUT_EDNS and response.edns < 0 <= question.edns:
        question.use_edns(False)
        response = _send(question, server, deadline, timeout, tcp)
    return response


def trouble_of(error: Exception) -> Trouble:
    """The code of an exception of UNREACHABLE."""
    if isinstance(error, dns.exception.Timeout):
        return "timeout"
    return "unreachable" if isinstance(error, OSError | EOFError) else "servfail"


def _send(
    question: dns.message.QueryMessage,
    server: tuple[str, int],
    deadline: float,
    timeout: float,
    tcp: bool,
) -> dns.message.Message:
    host, port = server
    if not tcp:
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
            question,
            host,
            timeout=timeout * FIRST_TRY,
            port=port,
            ignore_errors=True,
            ignore_unexpected=True,
        )
    except dns.exception.Timeout:
        left = max(deadline - time.monotonic(), 0.05)
        return dns.query.udp(
            question, host, timeout=left, port=port, ignore_errors=True, ignore_unexpected=True
        )


def _failure(
    response: dns.message.Message, server: tuple[str, int], recursive: bool
) -> Answer | None:
    """Why the response says neither yes nor no; None where it does."""
    code = response.rcode()
    authoritative = bool(response.flags & dns.flags.AA)
    if response.flags & dns.flags.TC:
        return could_not_ask(server, "the answer was cut short, by TCP too", "truncated")
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        words = f"the server answered {dns.rcode.to_text(code)}{_extended(response)}"
        return could_not_ask(server, words, TROUBLES.get(code, "servfail"))
    if recursive and not authoritative and not response.flags & dns.flags.RA:
        return could_not_ask(server, "the server does not resolve names for us", "refused")
    if not recursive and not authoritative:
        words = "the server is not an authority for this name (lame delegation)"
        return could_not_ask(server, words, "lame")
    return None


def _extended(response: dns.message.Message) -> str:
    words = [option.text for option in _extended_errors(response) if option.text]
    return f" ({'; '.join(words)[:200]})" if words else ""


def _extended_errors(response: dns.message.Message) -> list[dns.edns.EDEOption]:
    return [option for option in response.options if isinstance(option, dns.edns.EDEOption)]


def _follow(
    response: dns.message.Message, zone: str | None
) -> tuple[tuple[str, ...], int, dns.rrset.RRset | None]:
    """The aliases, the longest of their lifetimes, and the records at their end."""
    question = response.question[0]
    links = [] if question.rdtype == dns.rdatatype.CNAME else list(_aliases(response, zone))
    chain = tuple(target for target, _ in links)
    ttl = max((ttl for _, ttl in links), default=0)
    if chain and zone is not None and not lies_in(chain[-1], zone):
        return chain, ttl, None
    name = absolute_name(chain[-1]) if chain else question.name
    return (
        chain,
        ttl,
        response.get_rrset(response.answer, name, question.rdclass, question.rdtype),
    )


def _aliases(response: dns.message.Message, zone: str | None) -> Iterator[tuple[str, int]]:
    question = response.question[0]
    name, seen = question.name, {question.name.canonicalize()}
    while rrset := response.get_rrset(response.answer, name, question.rdclass, dns.rdatatype.CNAME):
        name = rrset[0].target
        yield plain_name(name), rrset.ttl
        if name.canonicalize() in seen or len(seen) > LONGEST_CHAIN:
            return
        if zone is not None and not lies_in(plain_name(name), zone):
            return
        seen.add(name.canonicalize())


def _bounded(values: list[str]) -> tuple[tuple[str, ...], str]:
    kept: list[str] = []
    size = 0
    for value in values:
        size += len(value)
        if size > LARGEST_ANSWER:
            return tuple(kept), f"only the first {len(kept)} of {len(values)} values are looked at"
        kept.append(value)
    return tuple(kept), ""


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
