"""Questions and the commonest answers as octets, without dnspython's objects: for sweeps. Pure."""

import socket
import struct

from portal.dns import Answer
from portal.dns.ask import LARGEST_ANSWER, UDP_PAYLOAD, server_text
from portal.dns.values import absolute_name, record_type

HEAD = struct.Struct("!HHHHHH")
ANSWER_HEAD = struct.Struct("!HHHIH")
POINTER_TO_QUESTION = 0xC00C
IN = 1
QR, OPCODE, AA, TC, RD, RA, CD, RCODE = (
    0x8000,
    0x7800,
    0x0400,
    0x0200,
    0x0100,
    0x0080,
    0x0010,
    0x000F,
)
A, TXT, AAAA = 1, 16, 28
LONGEST_NAME = 255
OPTIONS = b"\x00" + struct.pack("!HHIH", 41, UDP_PAYLOAD, 0, 0)  # EDNS, RFC 6891


def question_wire(name: str, type: str, *, recursive: bool, checking: bool = True) -> bytes:
    """The message that asks, with zero as its number; raises AdapterError for no name."""
    flags = (RD if recursive else 0) | (0 if checking else CD)
    head = HEAD.pack(0, flags, 1, 0, 0, 1)
    octets = absolute_name(name).to_wire() or b""
    return head + octets + struct.pack("!HH", record_type(type), IN) + OPTIONS


def numbered(wire: bytes, number: int) -> bytes:
    """The same message with another number."""
    return struct.pack("!H", number) + wire[2:]


def answers_question(wire: bytes, question: bytes) -> bool:
    """Whether this is an answer to just this question, whatever it says."""
    end = _end(question)
    if len(wire) < HEAD.size or not wire[2] & 0x80:
        return False
    if wire[4:6] == b"\x00\x00":
        return bool(wire[3] & RCODE)  # a server may refuse without saying what
    return wire[4:6] == b"\x00\x01" and wire[12:end].lower() == question[12:end].lower()


def is_cut(wire: bytes) -> bool:
    """Whether the whole answer has to be asked for by TCP."""
    return bool(wire[2] & 0x02)


def wants_no_edns(wire: bytes, question: bytes) -> bool:
    """Whether the server does not know EDNS (RFC 6891 section 6.2.2) and was asked with it."""
    return wire[3] & RCODE in (1, 4) and wire[10:12] == b"\x00\x00" and bool(question[11])


def without_edns(question: bytes) -> bytes:
    """The same question as before EDNS."""
    return question[:10] + b"\x00\x00" + question[12 : _end(question)]


def quick_answer(
    wire: bytes, question: bytes, server: tuple[str, int], *, recursive: bool
) -> Answer | None:
    """The Answer where it is plain values of A, AAAA or TXT; None: read it the long way."""
    _, flags, _, count, _, _ = HEAD.unpack_from(wire)
    wanted = AA if not recursive else AA | RA
    if not flags & QR or flags & (OPCODE | TC | RCODE) or not flags & wanted or not count:
        return None
    at = _end(question)
    (kind,) = struct.unpack_from("!H", question, at - 4)
    values, lifetimes = [], []
    try:
        for _ in range(count):
            owner, type, rdclass, ttl, size = ANSWER_HEAD.unpack_from(wire, at)
            at += ANSWER_HEAD.size + size
            if (owner, type, rdclass) != (POINTER_TO_QUESTION, kind, IN) or at > len(wire):
                return None
            values.append(_value(kind, wire[at - size : at]))
            lifetimes.append(ttl)
    except (struct.error, ValueError, IndexError, OSError):
        return None
    if sum(map(len, values)) > LARGEST_ANSWER or max(lifetimes) >= 2**31:
        return None
    return Answer("found", tuple(sorted(set(values))), min(lifetimes), server_text(server))


def _end(question: bytes) -> int:
    return len(question) - (len(OPTIONS) if question[11] else 0)


def _value(kind: int, octets: bytes) -> str:
    if kind == A:
        return socket.inet_ntop(socket.AF_INET, octets)
    if kind == AAAA:
        return socket.inet_ntop(socket.AF_INET6, octets)
    if kind != TXT or not octets:
        raise ValueError(kind)
    parts, at = [], 0
    while at < len(octets):
        size = octets[at]
        if at + 1 + size > len(octets):
            raise ValueError(size)
        parts.append(octets[at + 1 : at + 1 + size])
        at += 1 + size
    return b"".join(parts).decode("utf-8", "replace")
