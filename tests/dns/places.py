"""Zones to edit, each by its own editor: what a contract test needs to know of a place."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dns.query
import dns.tsigkeyring
import dns.update
import pytest

from portal.dns import Record, ZoneEditor
from portal.dns.cloudflare import CloudflareZoneEditor
from portal.dns.local import LocalZoneEditor
from portal.dns.local_server import LocalNameServer
from portal.dns.rfc2136 import Rfc2136ZoneEditor
from portal.dns.route53 import Route53ZoneEditor
from portal.dns.values import absolute_name, rdata_of
from tests import cloudflare_service, route53_service
from tests.cloudflare_service import CloudflareService
from tests.dns_peers import KEY_NAME, KEY_SECRET, zone_text
from tests.route53_service import Route53Service

ZONE = "api.example.test"
WRONG_SECRET = "bm90IHRoZSBzZWNyZXQgb2YgdGhpcyBzZXJ2ZXIhISE="


@dataclass(frozen=True)
class Place:
    """`editor(**changed)` builds an editor; `by_hand` enters a record as the owner would."""

    editor: Callable[..., ZoneEditor]
    by_hand: Callable[[Record], None]
    wrong_key: dict[str, str]
    nobody_there: dict[str, object]


def place_of(kind: str, request: pytest.FixtureRequest) -> Place:
    """A zone `api.example.test` at this kind of provider."""
    return {"route53": _route53, "cloudflare": _cloudflare}.get(kind, _by_updates)(kind, request)


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


def _by_updates(kind: str, request: pytest.FixtureRequest) -> Place:
    if kind == "local":
        folder: Path = request.getfixturevalue("tmp_path")
        server = LocalNameServer([ZONE], "127.0.0.1", 0, folder / "zone", KEY_NAME, KEY_SECRET)
        request.addfinalizer(server.stop)
        server.start()
        port = server.port
    else:
        port = request.getfixturevalue(f"start_{kind}")({ZONE: zone_text(ZONE, "")}).port
    settings = {"zone": ZONE, "server": "127.0.0.1", "port": port}
    settings |= {"key_name": KEY_NAME, "secret": KEY_SECRET, "timeout": 2.0}
    editor_class = LocalZoneEditor if kind == "local" else Rfc2136ZoneEditor
    keys = dns.tsigkeyring.from_text({KEY_NAME: KEY_SECRET})

    def by_hand(record: Record) -> None:
        update = dns.update.UpdateMessage(ZONE, keyring=keys, keyname=KEY_NAME)
        update.add(absolute_name(record.name), record.ttl, *rdata_of(record))
        assert dns.query.tcp(update, "127.0.0.1", port=port, timeout=5).rcode() == 0

    return Place(
        lambda **changed: editor_class(**{**settings, **changed}),
        by_hand,
        {"secret": WRONG_SECRET},
        {"port": _free_port()},
    )


def _route53(kind: str, request: pytest.FixtureRequest) -> Place:
    service: Route53Service = request.getfixturevalue("route53_service")
    service.add_zone("example.test")
    zone = service.add_zone(ZONE)
    settings = {"zone": ZONE, "access_key_id": route53_service.KEY_ID}
    settings |= {"secret_access_key": route53_service.SECRET, "endpoint": service.url}

    def by_hand(record: Record) -> None:
        zone.sets[f"{record.name}.", record.type] = (record.ttl, list(record.values))

    return Place(
        lambda **changed: Route53ZoneEditor(
            allow_private_addresses=True, **{**settings, **changed}
        ),
        by_hand,
        {"secret_access_key": "wrong"},
        {"endpoint": f"http://127.0.0.1:{_free_port()}"},
    )


def _cloudflare(kind: str, request: pytest.FixtureRequest) -> Place:
    service: CloudflareService = request.getfixturevalue("cloudflare_service")
    service.add_zone("example.test")
    zone = service.add_zone(ZONE)
    settings = {"zone": ZONE, "token": cloudflare_service.TOKEN, "endpoint": service.url}

    def by_hand(record: Record) -> None:
        for value in record.values:
            made = {"type": record.type, "name": record.name, "content": value, "ttl": record.ttl}
            service.create(zone, made)

    return Place(
        lambda **changed: CloudflareZoneEditor(
            allow_private_addresses=True, **{**settings, **changed}
        ),
        by_hand,
        {"token": "not-the-token-of-anybody"},
        {"endpoint": f"http://127.0.0.1:{_free_port()}"},
    )
