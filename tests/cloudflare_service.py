"""A strict stand-in for Cloudflare's DNS API: it refuses what the real service refuses."""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.http_double import HttpDouble

TOKEN = "token-of-the-test_0123456789"
ADDRESSES = ("A", "AAAA", "CNAME")


class Refused(Exception):
    """An error of the service: status, code, message."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class CloudflareService(HttpDouble):
    """`fault`: (status, code) that every call gets.

    `before_change` is called when a change comes in: what somebody else does at the same time.
    """

    def __init__(self) -> None:
        self.zones: dict[str, str] = {}
        self.records: dict[str, list[dict[str, Any]]] = {}
        self.fault: tuple[int, int] | None = None
        self.page_size = 1000
        self.broken = b""
        self.before_change: Callable[[], object] = lambda: None
        self._numbers = itertools.count(1)
        super().__init__()

    def add_zone(self, name: str) -> str:
        """An empty zone; its id."""
        identity = f"{len(self.zones):032x}"
        self.zones[identity] = name
        self.records[identity] = []
        return identity

    def reply(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, str, bytes]:
        if self.broken:
            return 502, "text/html", self.broken
        try:
            self._check_token(headers.get("Authorization", ""))
            if self.fault:
                raise Refused(*self.fault, "Please wait and consider throttling your requests")
            answer = {
                "success": True,
                "errors": [],
                "messages": [],
                **self._answer(method, path, body),
            }
            return 200, "application/json", json.dumps(answer).encode()
        except Refused as error:
            errors = [{"code": error.code, "message": str(error)}]
            failed = {"success": False, "errors": errors, "messages": [], "result": None}
            return error.status, "application/json", json.dumps(failed).encode()

    def create(self, zone: str, record: dict[str, Any]) -> None:
        """Add a record as somebody at the dashboard does."""
        self.records[zone] = self._with(zone, self.records[zone], record)

    def _check_token(self, header: str) -> None:
        kind, _, token = header.partition(" ")
        if kind != "Bearer" or not re.fullmatch(r"[\w-]{8,}", token):
            raise Refused(400, 6003, "Invalid request headers")
        if token != TOKEN:
            raise Refused(403, 9109, "Invalid access token")

    def _answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        steps = parts.path.strip("/").split("/")
        if steps == ["zones"]:
            if int(query.get("per_page", "20")) > 50:
                raise Refused(400, 1004, "per_page must be between 5 and 50")
            found = [
                {"id": i, "name": n} for i, n in self.zones.items() if n == query.get("name", n)
            ]
            return self._page(found, query)
        zone = steps[1]
        if zone not in self.zones:
            raise Refused(404, 7003, f"Could not route to /zones/{zone}")
        if method == "GET":
            asked = [
                one for one in self.records[zone] if one["name"] == query.get("name", one["name"])
            ]
            return self._page(asked, query)
        if steps[2:] == ["dns_records", "batch"] and method == "POST":
            self.before_change()
            self.records[zone] = self._batched(zone, json.loads(body))
            return {"result": {}}
        raise Refused(405, 10405, "Method not allowed for this authentication scheme")

    def _page(self, found: list[Any], query: Mapping[str, str]) -> dict[str, Any]:
        size = min(int(query.get("per_page", "100")), self.page_size)
        page = int(query.get("page", "1"))
        pages = max(-(-len(found) // size), 1)
        info = {"page": page, "per_page": size, "total_pages": pages, "total_count": len(found)}
        return {"result": found[(page - 1) * size : page * size], "result_info": info}

    def _batched(self, zone: str, batch: dict[str, Any]) -> list[dict[str, Any]]:
        after = list(self.records[zone])
        for gone in batch.get("deletes") or ():
            left = [one for one in after if one["id"] != gone["id"]]
            if len(left) == len(after):
                raise Refused(404, 81044, "Record does not exist.")
            after = left
        for record in batch.get("posts") or ():
            after = self._with(zone, after, record)
        return after

    def _with(
        self, zone: str, there: list[dict[str, Any]], record: dict[str, Any]
    ) -> list[dict[str, Any]]:
        name, type = record["name"].lower(), record["type"]
        if name != self.zones[zone] and not name.endswith(f".{self.zones[zone]}"):
            raise Refused(400, 1004, "DNS Validation Error: name is not in this zone")
        if record["ttl"] != 1 and not 60 <= record["ttl"] <= 86400:
            raise Refused(400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1.")
        content = _content(type, record)
        same = [one for one in there if one["name"] == name]
        if type == "CNAME" and any(one["type"] in ADDRESSES for one in same):
            raise Refused(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
        if type in ADDRESSES and any(one["type"] == "CNAME" for one in same):
            raise Refused(400, 81054, "A CNAME record with that host already exists.")
        if any((one["type"], one["content"]) == (type, content) for one in same):
            raise Refused(400, 81058, "An identical record already exists.")
        made = {
            "id": f"{next(self._numbers):032x}",
            "name": name,
            "type": type,
            "content": content,
            "ttl": record["ttl"],
            "proxied": record.get("proxied", False),
        }
        return [*there, made]


def _content(type: str, record: Mapping[str, Any]) -> str:
    if type == "CAA":
        data = record.get("data")
        if not data:
            raise Refused(400, 9101, "Validation failed: data is required for CAA records")
        return f'{data["flags"]} {data["tag"]} "{data["value"]}"'
    content: str = record["content"]
    if type in ("A", "AAAA"):
        wanted = ipaddress.IPv4Address if type == "A" else ipaddress.IPv6Address
        try:
            return str(wanted(content))
        except ValueError:
            raise Refused(400, 9005, f"Content for {type} record is invalid.") from None
    if type == "TXT":
        chunks = re.findall(r'"((?:[^"\\]|\\.)*)"', content)
        if not re.fullmatch(r'"(?:[^"\\]|\\.)*"( "(?:[^"\\]|\\.)*")*', content):
            raise Refused(400, 9000, "TXT content must be in quotes.")
        if any(len(re.sub(r"\\(.)", r"\1", chunk).encode()) > 255 for chunk in chunks):
            raise Refused(400, 9000, "A character string is too long.")
    return content.rstrip(".").lower() if type == "CNAME" else content


@pytest.fixture
def cloudflare_service() -> Iterator[CloudflareService]:
    """The service, without a zone yet."""
    service = CloudflareService()
    yield service
    service.stop()
