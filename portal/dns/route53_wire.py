"""Record sets in Route 53's XML, both ways. Pure.

Text comes quoted, with octets in octal; names too (a wildcard is told as \\052).
"""

import re
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from portal.dns import Record
from portal.dns.marked_sets import StoredSet
from portal.dns.values import absolute_name, plain_name, rdata_of, value_of

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
READABLE = ("A", "AAAA", "CNAME", "NS", "CAA")


def stored_set(item: ElementTree.Element) -> StoredSet:
    """One set of a listing."""
    type = item.findtext(tag("Type"), "")
    texts = [value.text or "" for value in item.iter(tag("Value"))]
    plain = item.find(tag("AliasTarget")) is None and item.find(tag("SetIdentifier")) is None
    record = Record(
        told_name(item.findtext(tag("Name"), "")),
        type,
        tuple(sorted(_from_text(type, text) for text in texts)),
        int(item.findtext(tag("TTL"), "0")),
    )
    return StoredSet(record, _as_told(item), plain)


def _as_told(item: ElementTree.Element) -> str:
    """The set exactly as the service told it, which is how it has to be named to be deleted."""
    for part in item.iter():
        part.tag = part.tag.rpartition("}")[2]
        part.tail = None
    return ElementTree.tostring(item, "unicode")


def set_xml(record: Record) -> str:
    """The set as a change names it."""
    values = "".join(
        f"<ResourceRecord><Value>{escape(_to_text(record.type, value))}</Value></ResourceRecord>"
        for value in record.values
    )
    return (
        f"<ResourceRecordSet><Name>{escape(record.name)}.</Name><Type>{record.type}</Type>"
        f"<TTL>{record.ttl}</TTL><ResourceRecords>{values}</ResourceRecords></ResourceRecordSet>"
    )


def _to_text(type: str, value: str) -> str:
    """A value as Route 53 wants it: text quoted, octets that are not plain in octal."""
    (rdata,) = rdata_of(Record("x", type, (value,), 0))
    if type != "TXT":
        return rdata.to_text()
    return " ".join(f'"{_octal(chunk)}"' for chunk in rdata.strings)  # type: ignore[attr-defined]


def _octal(octets: bytes) -> str:
    return "".join(
        chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\{octet:03o}"
        for octet in octets
    )


def _from_text(type: str, text: str) -> str:
    if type == "TXT":
        chunks = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
        return b"".join(map(_unescaped, chunks)).decode("utf-8", "replace")
    if type not in READABLE:
        return text
    (rdata,) = rdata_of(Record("x", type, (text,), 0))
    return value_of(rdata)


def _unescaped(text: str) -> bytes:
    octets = re.sub(
        rb"\\([0-7]{3}|.)",
        lambda found: bytes([int(found[1], 8)]) if len(found[1]) == 3 else found[1],
        text.encode(),
    )
    return bytes(octets)


def told_name(text: str) -> str:
    """A name of an answer, plain."""
    return plain_name(absolute_name(_unescaped(text).decode("utf-8", "replace")))


def tag(name: str) -> str:
    """The element's name as ElementTree has it."""
    return f"{{{NAMESPACE}}}{name}"
