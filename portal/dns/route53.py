"""Amazon Route 53 through its REST API (2013-04-01), signed by ourselves.

A change batch is all or nothing: CREATE is refused where a record set exists, DELETE where it is
not exactly as said, so nothing that somebody else entered is overwritten.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlencode
from xml.etree import ElementTree

from portal.dns import Record, SettingField
from portal.dns.aws_signature import signed_headers
from portal.dns.http_api import Reply, call
from portal.dns.marked_sets import MarkedSetEditor, StoredSet
from portal.dns.refusals import PROVIDER, in_use
from portal.dns.route53_wire import NAMESPACE, set_xml, stored_set, tag, told_name
from portal.dns.values import absolute_name
from portal.errors import AdapterError

ENDPOINT = "https://route53.amazonaws.com"
MOST_PAGES = 100
BUSY = {"Throttling", "ThrottlingException", "PriorRequestNotComplete", "RequestLimitExceeded"}
KEY_CODES = {
    "AccessDenied",
    "AccessDeniedException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "UnrecognizedClientException",
}


class Route53ZoneEditor(MarkedSetEditor):
    """Edits the public hosted zone that is closest around each name."""

    provider = "Route 53"
    settings: ClassVar[tuple[SettingField, ...]] = (
        SettingField("zone", "Zone", help="For example api.example.com, or the zone around it"),
        SettingField("access_key_id", "Access key ID"),
        SettingField(
            "secret_access_key",
            "Secret access key",
            secret=True,
            help="Of a user who may list hosted zones and change record sets",
        ),
    )

    def __init__(
        self,
        zone: str,
        access_key_id: str,
        secret_access_key: str,
        *,
        owner: str = "portal",
        endpoint: str = ENDPOINT,
        allow_private_addresses: bool = False,
    ) -> None:
        super().__init__(zone, owner=owner)
        self._key = (access_key_id, secret_access_key)
        self._endpoint = endpoint
        self._allow_private = allow_private_addresses
        self._zones: dict[str, str] = {}
        self._last_change = ""

    def stored(self, name: str) -> tuple[StoredSet, ...]:
        """Every record set at exactly this name."""
        query = {"name": f"{name}.", "maxitems": "100"}
        found: list[StoredSet] = []
        for _ in range(MOST_PAGES):
            page = self._get(f"hostedzone/{self._zone_id(name)}/rrset", query)
            sets = [stored_set(item) for item in page.iter(tag("ResourceRecordSet"))]
            found += [one for one in sets if one.record.name == name]
            if page.findtext(tag("IsTruncated")) != "true" or len(found) < len(sets):
                break
            query |= {
                "name": page.findtext(tag("NextRecordName"), ""),
                "type": page.findtext(tag("NextRecordType"), ""),
            }
        return tuple(found)

    def change(self, name: str, removed: Sequence[StoredSet], added: Sequence[Record]) -> None:
        """One batch; refused (`not_ours`) where something else came in between."""
        changes = [f"<Change><Action>DELETE</Action>{one.handle}</Change>" for one in removed]
        changes += [f"<Change><Action>CREATE</Action>{set_xml(one)}</Change>" for one in added]
        body = (
            f'<ChangeResourceRecordSetsRequest xmlns="{NAMESPACE}"><ChangeBatch><Changes>'
            f"{''.join(changes)}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        )
        path = f"hostedzone/{self._zone_id(name)}/rrset/"
        answer = self._call("POST", f"{self._endpoint}/2013-04-01/{path}", body.encode())
        identity = answer.findtext(f"{tag('ChangeInfo')}/{tag('Id')}", "")
        self._last_change = identity.rpartition("/")[2]

    def settled(self) -> bool:
        """Whether the last change of this editor is INSYNC on all name servers."""
        if self._last_change:
            answer = self._get(f"change/{self._last_change}", {})
            if answer.findtext(f"{tag('ChangeInfo')}/{tag('Status')}") != "INSYNC":
                return False
            self._last_change = ""
        return True

    def _zone_id(self, name: str) -> str:
        if not self._zones:
            self._zones = self._public_zones()
        owner = absolute_name(name)
        around = [zone for zone in self._zones if owner.is_subdomain(absolute_name(zone))]
        if not around:
            raise PROVIDER.no_zone(f"no public hosted zone around {name}")
        return self._zones[max(around, key=len)]

    def _public_zones(self) -> dict[str, str]:
        zones: dict[str, str] = {}
        query = {"maxitems": "100"}
        for _ in range(MOST_PAGES):
            page = self._get("hostedzone", query)
            for item in page.iter(tag("HostedZone")):
                if item.findtext(f"{tag('Config')}/{tag('PrivateZone')}") != "true":
                    identity = item.findtext(tag("Id"), "").rpartition("/")[2]
                    zones[told_name(item.findtext(tag("Name"), ""))] = identity
            if page.findtext(tag("IsTruncated")) != "true":
                break
            query["marker"] = page.findtext(tag("NextMarker"), "")
        return zones

    def _get(self, path: str, query: Mapping[str, str]) -> ElementTree.Element:
        tail = f"?{urlencode(query)}" if query else ""
        return self._call("GET", f"{self._endpoint}/2013-04-01/{path}{tail}", b"")

    def _call(self, method: str, url: str, body: bytes) -> ElementTree.Element:
        headers = signed_headers(
            method,
            url,
            body,
            {"Content-Type": "text/xml"} if body else {},
            key_id=self._key[0],
            secret=self._key[1],
            region="us-east-1",
            service="route53",
            now=datetime.now(UTC),
        )
        reply = call(method, url, headers, body or None, allow_private=self._allow_private)
        answer = parsed(reply)
        if reply.status != 200:
            raise _error(reply.status, answer)
        return answer


def parsed(reply: Reply) -> ElementTree.Element:
    """The answer as XML. Raises AdapterError for anything else."""
    if b"<!DOCTYPE" in reply.body:  # entities are declared there, and no answer needs any
        raise PROVIDER.unreachable(f"status {reply.status}, XML of another kind")
    try:
        # from the provider itself, over checked TLS
        return ElementTree.fromstring(reply.body)  # noqa: S314
    except ElementTree.ParseError as error:
        raise PROVIDER.unreachable(f"status {reply.status}, no XML") from error


def _error(status: int, answer: ElementTree.Element) -> AdapterError:
    texts = {item.tag.rpartition("}")[2]: (item.text or "").strip() for item in answer.iter()}
    batch = "InvalidChangeBatch" in answer.tag
    code = "InvalidChangeBatch" if batch else texts.get("Code", "")
    words = f"{code}: {texts.get('Message', '')}".strip(": ")[:500] or f"status {status}"
    if code in BUSY or status == 429:
        return PROVIDER.throttled(words)
    if code in KEY_CODES:
        return PROVIDER.bad_key(words)
    if code == "InvalidChangeBatch":
        taken = re.search(r"already exists|not permitted|conflict|was not found|not match", words)
        return in_use(words) if taken else PROVIDER.refused(words)
    if code == "NoSuchHostedZone":
        return PROVIDER.no_zone(words)
    return PROVIDER.refused(words, permanent=status < 500)
