"""What the embedded name server answers: queries and signed updates, message in, message out."""

import struct
import threading
from collections.abc import Callable

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.update

from portal.dns.zone import Zone, look_up, zone_of
from portal.dns.zone_update import UpdateRefused, updated

UDP_PAYLOAD = 1232
PLAIN_UDP_PAYLOAD = 512  # without EDNS, RFC 1035 section 4.2.1
MOST_ZONES = 1000
REFUSED_QUESTIONS = frozenset({dns.rdatatype.AXFR, dns.rdatatype.IXFR})


class ZoneAnswers:
    """Thread-safe. `save` is called with all zones before an update is answered.

    `first_zone` makes a zone that a signed update names and nobody serves yet; without it, or
    where it gives None, such an update is refused.
    """

    def __init__(
        self,
        zones: dict[dns.name.Name, Zone],
        key: dns.tsig.Key,
        save: Callable[[tuple[Zone, ...]], None],
        first_zone: Callable[[dns.name.Name], Zone | None] = lambda origin: None,
    ) -> None:
        self._first_zone = first_zone
        self._zones = zones
        self._key = key
        self._save = save
        self._writing = threading.Lock()

    def reply(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """The answer to one message; None for what deserves none (answers, fragments)."""
        try:
            message = dns.message.from_wire(wire, keyring={self._key.name: self._key})
        except (dns.message.UnknownTSIGKey, dns.tsig.BadKey, dns.tsig.BadAlgorithm):
            return _unsigned_refusal(wire, dns.rcode.BADKEY)
        except dns.tsig.BadSignature:
            return _unsigned_refusal(wire, dns.rcode.BADSIG)
        except dns.tsig.BadTime:
            return _unsigned_refusal(wire, dns.rcode.BADTIME)
        except (dns.exception.DNSException, ValueError):
            return _bare_answer(wire, dns.rcode.FORMERR)
        if message.flags & dns.flags.QR:
            return None
        return self._answer(message).to_wire(
            max_size=65535 if tcp else _udp_size(message), prefer_truncation=True
        )

    def _answer(self, message: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(message, our_payload=UDP_PAYLOAD)
        if isinstance(message, dns.update.UpdateMessage):
            response.set_rcode(self._update(message))
        elif message.opcode() != dns.opcode.QUERY:
            response.set_rcode(dns.rcode.NOTIMP)
        elif len(message.question) != 1:
            response.set_rcode(dns.rcode.FORMERR)
        else:
            self._query(message, response)
        return response

    def _query(self, message: dns.message.Message, response: dns.message.Message) -> None:
        question = message.question[0]
        found = None
        if question.rdclass == dns.rdataclass.IN and question.rdtype not in REFUSED_QUESTIONS:
            found = look_up(
                tuple(self._zones.values()), question.name.canonicalize(), question.rdtype
            )
        if found is None:
            response.set_rcode(dns.rcode.REFUSED)
            return
        if found.authoritative:
            response.flags |= dns.flags.AA
        if not found.exists:
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.answer.extend(found.answer)
        response.authority.extend(found.authority)
        response.additional.extend(found.additional)

    def _update(self, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        if not message.had_tsig:
            return dns.rcode.REFUSED
        if len(message.zone) != 1:
            return dns.rcode.FORMERR
        with self._writing:
            origin = message.zone[0].name.canonicalize()
            zone = self._zones.get(origin) or self._zone_on_demand(origin)
            if zone is None:
                return dns.rcode.NOTAUTH
            return self._replace(zone, message)

    def _zone_on_demand(self, origin: dns.name.Name) -> Zone | None:
        """A zone of its own, never one inside a zone that is served already."""
        if len(self._zones) >= MOST_ZONES or zone_of(self._zones.values(), origin):
            return None
        return self._first_zone(origin)

    def _replace(self, zone: Zone, message: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        try:
            after = updated(zone, message)
        except UpdateRefused as refusal:
            return refusal.rcode
        if after is zone:
            return dns.rcode.NOERROR
        zones = {**self._zones, zone.origin: after}
        try:
            self._save(tuple(zones.values()))
        except OSError:
            return dns.rcode.SERVFAIL
        self._zones = zones
        return dns.rcode.NOERROR


def _udp_size(message: dns.message.Message) -> int:
    if message.edns < 0:
        return PLAIN_UDP_PAYLOAD
    return min(max(message.payload, PLAIN_UDP_PAYLOAD), UDP_PAYLOAD)


def _unsigned_refusal(wire: bytes, error: dns.rcode.Rcode) -> bytes | None:
    """NOTAUTH with a TSIG record that names the error and signs nothing (RFC 8945 section 5.2)."""
    answer = _bare_answer(wire, dns.rcode.NOTAUTH)
    query = dns.message.from_wire(wire, keyring=lambda message, name: False)
    if answer is None or query.tsig is None:
        return answer
    tsig = query.tsig[0].replace(mac=b"", error=error, other=b"")
    rdata = tsig.to_wire() or b""
    head = struct.pack("!HHIH", dns.rdatatype.TSIG, dns.rdataclass.ANY, 0, len(rdata))
    owner = query.tsig.name.to_wire() or b""
    return answer[:10] + b"\x00\x01" + owner + head + rdata


def _bare_answer(wire: bytes, rcode: dns.rcode.Rcode) -> bytes | None:
    if len(wire) < 12 or wire[2] & 0x80:
        return None
    flags = bytes([(wire[2] & 0x79) | 0x80, rcode & 0x0F])
    return wire[:2] + flags + bytes(8)
