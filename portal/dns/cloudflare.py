"""Cloudflare through its HTTP API (v4), with a token that may edit DNS.

A record set is several records there. A batch is all or nothing: its deletions come first, and a
creation is refused where an alias or the same value exists.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from portal.dns import Record, SettingField
from portal.dns.http_api import Reply, call
from portal.dns.marked_sets import MarkedSetEditor, StoredSet
from portal.dns.refusals import PROVIDER, in_use
from portal.dns.values import absolute_name, invalid_record, plain_name, rdata_of, value_of
from portal.errors import AdapterError

ENDPOINT = "https://api.cloudflare.com/client/v4"
PER_PAGE = 100
MOST_PAGES = 100
TTL_RANGE = (60, 86_400)
TAKEN = {81053, 81054, 81055, 81056, 81057, 81058}
GONE = {81044}  # a record that was to be deleted is not there any more
KEY_CODES = {6003, 6111, 9103, 9106, 9107, 9109, 10000, 10001}
INVALID = {1004, 9000, 9005, 9009, 9021}
CAA_VALUE = re.compile(r'(\d+)\s+(\w+)\s+"?([^"]*)"?')


class CloudflareZoneEditor(MarkedSetEditor):
    """Edits the zone that is closest around each name; records are never proxied."""

    provider = "Cloudflare"
    settings: ClassVar[tuple[SettingField, ...]] = (
        SettingField("zone", "Zone", help="For example api.example.com, or the zone around it"),
        SettingField(
            "token", "API token", secret=True, help="With the permission Zone / DNS / Edit"
        ),
    )

    def __init__(
        self,
        zone: str,
        token: str,
        *,
        owner: str = "portal",
        endpoint: str = ENDPOINT,
        allow_private_addresses: bool = False,
    ) -> None:
        super().__init__(zone, owner=owner)
        if not token.isascii() or not token.isprintable():
            raise PROVIDER.bad_key("the token has characters that no token has")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._endpoint = endpoint
        self._allow_private = allow_private_addresses
        self._zones: dict[str, str] = {}

    def stored(self, name: str) -> tuple[StoredSet, ...]:
        """Every record set at exactly this name."""
        path = f"/zones/{self._zone_id(name)}/dns_records"
        grouped: dict[str, list[dict[str, Any]]] = {}
        for item in self._pages(path, {"name": name}):
            if _plain(item["name"]) == name:
                grouped.setdefault(item["type"], []).append(item)
        return tuple(_stored_set(name, type, items) for type, items in grouped.items())

    def change(self, name: str, removed: Sequence[StoredSet], added: Sequence[Record]) -> None:
        """One batch; refused (`not_ours`) where something else came in between."""
        gone = [identity for one in removed for identity in _identities(one)]
        body = {
            "deletes": [{"id": identity} for identity in gone],
            "posts": [_posted(record, value) for record in added for value in record.values],
        }
        self._call("POST", f"/zones/{self._zone_id(name)}/dns_records/batch", body)

    def _zone_id(self, name: str) -> str:
        owner, labels = absolute_name(name), name.split(".")
        known = [zone for zone in self._zones if owner.is_subdomain(absolute_name(zone))]
        if known:
            return self._zones[max(known, key=len)]
        for at in range(len(labels) - 1):
            zone = ".".join(labels[at:])
            for item in self._pages("/zones", {"name": zone}):
                if _plain(item["name"]) == zone:
                    self._zones[zone] = item["id"]
                    return self._zones[zone]
        raise PROVIDER.no_zone(f"no zone around {name} that this token may see")

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        for page in range(1, MOST_PAGES + 1):
            asked = {**query, "page": page, "per_page": PER_PAGE if "dns" in path else 50}
            answer = self._call("GET", f"{path}?{urlencode(asked)}")
            yield from answer.get("result") or ()
            if page >= int((answer.get("result_info") or {}).get("total_pages") or 1):
                return

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        sent = None if body is None else json.dumps(body).encode()
        url = f"{self._endpoint}{path}"
        reply = call(method, url, self._headers, sent, allow_private=self._allow_private)
        answer = _parsed(reply)
        if reply.status != 200 or not answer.get("success"):
            raise _error(reply.status, answer)
        return answer


def _parsed(reply: Reply) -> dict[str, Any]:
    try:
        answer = json.loads(reply.body)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    if reply.status == 429:
        raise PROVIDER.throttled("status 429")
    raise PROVIDER.unreachable(f"status {reply.status}, no JSON object")


def _error(status: int, answer: Mapping[str, Any]) -> AdapterError:
    errors = [one for one in answer.get("errors") or () if isinstance(one, dict)]
    codes = {one.get("code") for one in errors}
    words = "; ".join(f"{one.get('code')}: {one.get('message')}" for one in errors)[:500]
    words = words or f"status {status}"
    if status == 429:
        return PROVIDER.throttled(words)
    if codes & (TAKEN | GONE):
        return in_use(words)
    if codes & KEY_CODES or status in (401, 403):
        return PROVIDER.bad_key(words)
    if codes & INVALID:
        return invalid_record(words)
    return PROVIDER.refused(words, permanent=status < 500)


def _stored_set(name: str, type: str, items: Sequence[Mapping[str, Any]]) -> StoredSet:
    values = tuple(sorted(_from_content(type, str(item["content"])) for item in items))
    record = Record(name, type, values, int(items[0].get("ttl") or 1))
    plain = not any(item.get("proxied") for item in items)
    return StoredSet(record, tuple(str(item["id"]) for item in items), plain)


def _identities(stored: StoredSet) -> tuple[str, ...]:
    return stored.handle if isinstance(stored.handle, tuple) else ()


def _posted(record: Record, value: str) -> dict[str, object]:
    least, most = TTL_RANGE
    ttl = min(max(record.ttl, least), most)
    posted: dict[str, object] = {"type": record.type, "name": record.name, "ttl": ttl}
    if record.type == "CAA":
        flags, tag, text = value.split(" ", 2)
        return {**posted, "data": {"flags": int(flags), "tag": tag, "value": text.strip('"')}}
    if record.type in ("A", "AAAA", "CNAME"):
        posted["proxied"] = False
    return {**posted, "content": _to_content(record.type, value)}


def _to_content(type: str, value: str) -> str:
    if type != "TXT":
        return value
    (rdata,) = rdata_of(Record("x", type, (value,), 0))
    chunks = [chunk.decode("utf-8", "replace") for chunk in rdata.strings]  # type: ignore[attr-defined]
    return " ".join('"' + re.sub(r'(["\\])', r"\\\1", chunk) + '"' for chunk in chunks)


def _from_content(type: str, content: str) -> str:
    if type == "TXT":
        chunks = re.findall(r'"((?:[^"\\]|\\.)*)"', content) if content[:1] == '"' else [content]
        return "".join(re.sub(r"\\(.)", r"\1", chunk) for chunk in chunks)
    if type == "CAA" and (found := CAA_VALUE.fullmatch(content)):
        content = f'{found[1]} {found[2]} "{found[3]}"'
    if type not in ("A", "AAAA", "CNAME", "NS", "CAA"):
        return content
    (rdata,) = rdata_of(Record("x", type, (content,), 0))
    return value_of(rdata)


def _plain(name: str) -> str:
    return plain_name(absolute_name(name))
