"""Record values between the portal's plain text and dnspython's rdata."""

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.txtbase

from portal.dns import Record
from portal.errors import AdapterError

NAME_TYPES = frozenset({dns.rdatatype.CNAME, dns.rdatatype.NS})
TXT_CHUNK = 255  # octets in one character-string, RFC 1035 section 3.3


def absolute_name(text: str) -> dns.name.Name:
    """The name as dnspython wants it, lower case; raises AdapterError where it is none."""
    try:
        return dns.name.from_text(text.rstrip(".") + ".").canonicalize()
    except (dns.exception.DNSException, UnicodeError) as error:
        raise invalid_record(f"{text}: {error}") from error


def plain_name(name: dns.name.Name) -> str:
    """Lower case, absolute, without the trailing dot."""
    return name.canonicalize().to_text(omit_final_dot=True)


def record_type(text: str) -> dns.rdatatype.RdataType:
    """The type by its name; raises AdapterError for a name that is none."""
    try:
        return dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError) as error:
        raise invalid_record(f"{text}: {error}") from error


def rdata_of(record: Record) -> list[dns.rdata.Rdata]:
    """Every value of the record as rdata; raises AdapterError for a value of another shape."""
    if not record.values:
        raise invalid_record(f"{record.name} {record.type}: no value")
    kind = record_type(record.type)
    return [_rdata(kind, value) for value in record.values]


def value_of(rdata: dns.rdata.Rdata) -> str:
    """The value as plain text, so that equal rdata give equal text."""
    if isinstance(rdata, dns.rdtypes.txtbase.TXTBase):
        return b"".join(rdata.strings).decode("utf-8", "replace")
    if rdata.rdtype in NAME_TYPES:
        return plain_name(rdata.target)  # type: ignore[attr-defined]
    return rdata.to_text()


def check_inside(record: Record, zone: dns.name.Name) -> None:
    """Raises AdapterError (`outside_zone`) for a record that this zone cannot hold."""
    if not absolute_name(record.name).is_subdomain(zone):
        raise AdapterError(
            "This DNS record does not belong in the zone that the portal edits.",
            reason="outside_zone",
            permanent=True,
            detail=f"{record.name} is not in {plain_name(zone)}",
        )


def invalid_record(detail: str) -> AdapterError:
    """The record cannot be written in any zone."""
    return AdapterError(
        "This DNS record is not valid.", reason="invalid_record", permanent=True, detail=detail
    )


def _rdata(kind: dns.rdatatype.RdataType, value: str) -> dns.rdata.Rdata:
    try:
        return dns.rdata.from_text(dns.rdataclass.IN, kind, _zone_file_text(kind, value))
    except (dns.exception.DNSException, ValueError) as error:
        raise invalid_record(f"{dns.rdatatype.to_text(kind)} {value}: {error}") from error


def _zone_file_text(kind: dns.rdatatype.RdataType, value: str) -> str:
    if kind in NAME_TYPES:
        return value.rstrip(".").lower() + "."
    if kind != dns.rdatatype.TXT:
        return value
    octets = value.encode("utf-8")
    chunks = [octets[at : at + TXT_CHUNK] for at in range(0, len(octets), TXT_CHUNK)] or [b""]
    return " ".join('"' + "".join(f"\\{octet:03d}" for octet in chunk) + '"' for chunk in chunks)
