"""A strict stand-in for Amazon Route 53: it refuses what the real service refuses."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest

from tests.http_double import HttpDouble

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
KEY_ID, SECRET = "AKIDTESTTESTTEST", "the/secret+of the test"
XML = "text/xml"
Key = tuple[str, str]


class Refused(Exception):
    """An error of the service: status, code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class HostedZone:
    """One zone: its record sets by name and type, each TTL and values, or an alias target."""

    name: str
    private: bool = False
    sets: dict[Key, tuple[int, list[str]]] = field(default_factory=dict)
    aliases: dict[Key, str] = field(default_factory=dict)


class Route53Service(HttpDouble):
    """`fault`: an error code that every call gets; `pending`: looks until a change is INSYNC.

    `before_change` is called when a change comes in: what somebody else does at the same time.
    """

    def __init__(self) -> None:
        self.zones: dict[str, HostedZone] = {}
        self.fault = ""
        self.pending = 0
        self.before_change: Callable[[], object] = lambda: None
        self.batch_errors_have_their_own_shape = False
        self.page_size = 100
        self._changes = 0
        super().__init__()

    def add_zone(self, name: str, *, private: bool = False) -> HostedZone:
        """A zone with the two record sets that every one has."""
        zone = HostedZone(f"{name}.", private)
        zone.sets[zone.name, "NS"] = (172800, ["ns-1.awsdns-01.test."])
        zone.sets[zone.name, "SOA"] = (900, ["ns-1.awsdns-01.test. hostmaster.test. 1 2 3 4 5"])
        self.zones[f"Z{len(self.zones):06d}"] = zone
        return zone

    def reply(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str, bytes]:
        try:
            self._check_signature(method, path, headers, body)
            if self.fault:
                status = 500 if self.fault == "InternalFailure" else 400
                raise Refused(status, self.fault, "Rate exceeded")
            return 200, XML, self._answer(method, path, body).encode()
        except Refused as error:
            if error.code == "InvalidChangeBatch" and self.batch_errors_have_their_own_shape:
                words = f"<Messages><Message>{escape(str(error))}</Message></Messages>"
                return 400, XML, _document("InvalidChangeBatch", words).encode()
            text = (
                f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type>'
                f"<Code>{error.code}</Code><Message>{escape(str(error))}</Message></Error>"
                "<RequestId>1</RequestId></ErrorResponse>"
            )
            return error.status, XML, text.encode()

    def _answer(self, method: str, path: str, body: bytes) -> str:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        steps = parts.path.strip("/").split("/")
        if steps[:2] == ["2013-04-01", "hostedzone"] and len(steps) == 2:
            return self._list_zones(query)
        if steps[1] == "change":
            self.pending -= 1
            status = "INSYNC" if self.pending < 0 else "PENDING"
            return _document("GetChangeResponse", _change_info(steps[2], status))
        zone = self.zones.get(steps[2])
        if zone is None:
            raise Refused(404, "NoSuchHostedZone", f"No hosted zone found with ID: {steps[2]}")
        if method == "GET":
            return self._list_sets(zone, query)
        self.before_change()
        zone.sets = _changed(zone, body)
        self._changes += 1
        info = _change_info(f"C{self._changes}", "PENDING")
        return _document("ChangeResourceRecordSetsResponse", info)

    def _list_zones(self, query: Mapping[str, str]) -> str:
        size = min(int(query.get("maxitems", "100")), self.page_size)
        identities = sorted(self.zones)
        start = identities.index(query["marker"]) if "marker" in query else 0
        items = "".join(
            f"<HostedZone><Id>/hostedzone/{one}</Id><Name>{self.zones[one].name}</Name>"
            f"<Config><PrivateZone>{str(self.zones[one].private).lower()}</PrivateZone></Config>"
            "</HostedZone>"
            for one in identities[start : start + size]
        )
        more = identities[start + size : start + size + 1]
        tail = f"<NextMarker>{more[0]}</NextMarker>" if more else ""
        return _document(
            "ListHostedZonesResponse",
            f"<HostedZones>{items}</HostedZones>{tail}"
            f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>",
        )

    def _list_sets(self, zone: HostedZone, query: Mapping[str, str]) -> str:
        size = min(int(query.get("maxitems", "300")), self.page_size)
        keys = sorted({**zone.sets, **dict.fromkeys(zone.aliases)}, key=_order)
        if "name" in query:
            first = (_told(query["name"]), query.get("type", ""))
            keys = [key for key in keys if _order(key) >= _order(first)]
        items = "".join(_set_xml(zone, key) for key in keys[:size])
        tail = ""
        if keys[size:]:
            name, type = keys[size]
            tail = (
                f"<NextRecordName>{_escaped(name)}</NextRecordName>"
                f"<NextRecordType>{type}</NextRecordType>"
            )
        return _document(
            "ListResourceRecordSetsResponse",
            f"<ResourceRecordSets>{items}</ResourceRecordSets>"
            f"<IsTruncated>{str(bool(tail)).lower()}</IsTruncated>{tail}",
        )

    def _check_signature(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\S+), SignedHeaders=(\S+), Signature=(\w+)",
            headers.get("Authorization", ""),
        )
        if found is None:
            raise Refused(403, "MissingAuthenticationToken", "Missing Authentication Token")
        key_id, scope, names, signature = found.groups()
        stamp = headers["X-Amz-Date"]
        if key_id != KEY_ID:
            raise Refused(403, "InvalidClientTokenId", "The security token is invalid.")
        wanted = f"{stamp[:8]}/us-east-1/route53/aws4_request"
        if scope != wanted or "host" not in names.split(";"):
            raise Refused(403, "SignatureDoesNotMatch", f"Credential should be scoped to {wanted}")
        if not hmac.compare_digest(_signature(method, path, headers, body, names), signature):
            raise Refused(403, "SignatureDoesNotMatch", "The request signature does not match.")


def _signature(method: str, path: str, headers: Mapping[str, str], body: bytes, names: str) -> str:
    parts, stamp = urlsplit(path), headers["X-Amz-Date"]
    pairs = sorted(parse_qsl(parts.query, keep_blank_values=True))
    lines = [
        method,
        parts.path,
        "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs),
        *(f"{name}:{headers[name].strip()}" for name in names.split(";")),
        "",
        names,
        hashlib.sha256(body).hexdigest(),
    ]
    scope = f"{stamp[:8]}/us-east-1/route53/aws4_request"
    request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    key = b"AWS4" + SECRET.encode()
    for step in (stamp[:8], "us-east-1", "route53", "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{request}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _changed(zone: HostedZone, body: bytes) -> dict[Key, tuple[int, list[str]]]:
    """All changes or none: the new content, or InvalidChangeBatch."""
    after, problems = dict(zone.sets), []
    for change in ElementTree.fromstring(body).iter(_tag("Change")):  # noqa: S314 our own request
        action = change.findtext(_tag("Action"))
        item = change.find(_tag("ResourceRecordSet"))
        assert item is not None
        name = _told(item.findtext(_tag("Name"), ""))
        type, ttl = item.findtext(_tag("Type"), ""), item.findtext(_tag("TTL"))
        values = [value.text or "" for value in item.iter(_tag("Value"))]
        where = f"[name='{name}', type='{type}']"
        if ttl is None or not values:
            raise Refused(400, "InvalidInput", "Invalid XML ; TTL and ResourceRecords are needed")
        if not name.endswith(f".{zone.name}") and name != zone.name:
            problems.append(f"RRSet with DNS name {name} is not permitted in zone {zone.name}")
        elif action == "DELETE":
            if (name, type) not in after:
                problems.append(f"Tried to delete resource record set {where} but it was not found")
            elif after.pop((name, type)) != (int(ttl), values):
                problems.append(
                    f"Tried to delete resource record set {where} but the values provided do not"
                    " match the current values"
                )
        elif action == "CREATE" and ({(name, type)} & (after.keys() | zone.aliases.keys())):
            problems.append(f"Tried to create resource record set {where} but it already exists")
        else:
            problems += _invalid(type, values)
            after[name, type] = (int(ttl), values)
    problems += _alias_conflicts(zone, after)
    if problems:
        raise Refused(400, "InvalidChangeBatch", f"[{', '.join(problems)}]")
    return after


def _alias_conflicts(zone: HostedZone, sets: Mapping[Key, object]) -> list[str]:
    keys = [*sets, *zone.aliases]
    return [
        f"RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other"
        f" records with the same DNS name in zone {zone.name}"
        for name, type in keys
        if type == "CNAME" and sum(other == name for other, _ in keys) > 1
    ]


def _invalid(type: str, values: list[str]) -> list[str]:
    problems = []
    for value in values:
        if type in ("A", "AAAA"):
            wanted = ipaddress.IPv4Address if type == "A" else ipaddress.IPv6Address
            try:
                wanted(value)
            except ValueError:
                problems.append(f"Invalid Resource Record: '{type} {value}'")
        if type == "TXT":
            chunks = re.fullmatch(r'("(?:[^"\\]|\\.)*")( "(?:[^"\\]|\\.)*")*', value)
            longest = max(
                (len(_plain(one)) for one in re.findall(r'"((?:[^"\\]|\\.)*)"', value)), default=0
            )
            if not chunks or longest > 255 or not value.isascii():
                problems.append(
                    "InvalidCharacterString (Value should be enclosed in quotation marks)"
                )
    if len(set(values)) < len(values) or (type == "CNAME" and len(values) > 1):
        problems.append("Duplicate Resource Record")
    return problems


def _plain(text: str) -> str:
    return re.sub(r"\\([0-7]{3}|.)", "x", text)


def _told(name: str) -> str:
    decoded = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), name)
    return f"{decoded.rstrip('.').lower()}."


def _escaped(name: str) -> str:
    return name.replace("*", "\\052")


def _order(key: Key) -> tuple[list[str], str]:
    return list(reversed(key[0].split("."))), key[1]


def _set_xml(zone: HostedZone, key: Key) -> str:
    head = f"<Name>{_escaped(key[0])}</Name><Type>{key[1]}</Type>"
    if key in zone.aliases:
        target = f"<HostedZoneId>ZELB</HostedZoneId><DNSName>{zone.aliases[key]}</DNSName>"
        return f"<ResourceRecordSet>{head}<AliasTarget>{target}</AliasTarget></ResourceRecordSet>"
    ttl, values = zone.sets[key]
    records = "".join(
        f"<ResourceRecord><Value>{escape(value)}</Value></ResourceRecord>" for value in values
    )
    return (
        f"<ResourceRecordSet>{head}<TTL>{ttl}</TTL><ResourceRecords>{records}</ResourceRecords>"
        "</ResourceRecordSet>"
    )


def _change_info(identity: str, status: str) -> str:
    return (
        f"<ChangeInfo><Id>/change/{identity}</Id><Status>{status}</Status>"
        "<SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>"
    )


def _document(name: str, content: str) -> str:
    return f'<?xml version="1.0"?>\n<{name} xmlns="{NAMESPACE}">{content}</{name}>'


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


@pytest.fixture
def route53_service() -> Iterator[Route53Service]:
    """The service, without a zone yet."""
    service = Route53Service()
    yield service
    service.stop()
