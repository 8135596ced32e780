"""Zones as a JSON file, replaced whole: after a crash there is the old content or the new one."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype

from portal.dns.zone import Nodes, Zone


def load_zones(store: Path) -> dict[dns.name.Name, Zone]:
    """The stored zones by origin; none where there is no file yet. Raises ValueError if broken."""
    if not store.exists():
        return {}
    content = json.loads(store.read_text("utf-8"))
    zones = (_zone(origin, records) for origin, records in content["zones"].items())
    return {zone.origin: zone for zone in zones}


def save_zones(store: Path, zones: Iterable[Zone]) -> None:
    """Write, sync and rename; on return the content survives a crash of the machine."""
    store.parent.mkdir(parents=True, exist_ok=True)
    content = {"zones": {zone.origin.to_text(): _records(zone.nodes) for zone in zones}}
    fresh = store.with_name(store.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(content, file, separators=(",", ":"))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(store)
    _sync_folder(store.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _records(nodes: Nodes) -> list[list[Any]]:
    return [
        [name.to_text(), rdataset.ttl, dns.rdatatype.to_text(kind), [r.to_text() for r in rdataset]]
        for name, node in nodes.items()
        for kind, rdataset in node.items()
    ]


def _zone(origin: str, records: list[list[Any]]) -> Zone:
    nodes: dict[dns.name.Name, dict[dns.rdatatype.RdataType, dns.rdataset.Rdataset]] = {}
    for name, ttl, kind_text, texts in records:
        kind = dns.rdatatype.from_text(kind_text)
        rdatas = [dns.rdata.from_text(dns.rdataclass.IN, kind, text) for text in texts]
        node = nodes.setdefault(dns.name.from_text(name), {})
        node[kind] = dns.rdataset.from_rdata_list(ttl, rdatas)
    return Zone(dns.name.from_text(origin), nodes)
