"""A small internet: a top-level zone, a customer's with two servers, ours, and a resolver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import dns.name
import dns.rdata
import dns.rdataset
import pytest

from portal.custom_domains.diagnosis import Diagnosis, diagnose
from portal.custom_domains.hosts import DomainHost
from portal.custom_domains.observations import Question
from portal.custom_domains.observing import Outside, observe
from portal.custom_domains.records import Target
from portal.custom_domains.results import CheckResult, Checks
from portal.dns.discovery import DiscoveringResolver
from portal.tls.probe import Probe
from tests.dns_peers import Fault, FaultyAuthority, free_dns_port, zone_text

FIRST, SECOND, OURS, PARENT, PUBLIC = (f"127.0.0.{n}" for n in range(21, 26))
TWO_SERVERS = f"ns1 A {FIRST}\nns2 A {SECOND}"
EDGE = "127.0.0.1"
NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
TOKEN = "7f2c91d0a4be4c53"
DOMAIN, HOST = "weinhof.test", "bot.weinhof.test"
PROOF = f'_llm-verify TXT "llm-verify={TOKEN}"\n'
ROUTE = "bot CNAME edge.api.portal.test.\n"
RIGHT = PROOF + ROUTE
TOP = f"""weinhof NS ns1.weinhof
weinhof NS ns2.weinhof
ns1.weinhof A {FIRST}
ns2.weinhof A {SECOND}
portal NS ns1.portal
ns1.portal A {OURS}
deserted NS ns1.weinhof
noaddress NS ns.nobody
undelegated TXT "parked"
"""
PLATFORM = f"edge A {EDGE}\n"
TARGET = Target("edge.api.portal.test", (EDGE,), "acme.api.portal.test")


def host(name: str = HOST, **values: Any) -> DomainHost:
    """A client's host on the customer's domain."""
    given = {"client_public_id": "abc", "is_wanted_open": True, "is_open": False, **values}
    return DomainHost(host=name, llm_client_id=1, llm_client_name="cellar_guide", **given)


def good_probe(*_: Any, **__: Any) -> Probe:
    """A handshake in which all is well."""
    return Probe(True, "", "The certificate is valid.", serial="ab12", names=(HOST,))


@dataclass
class Laboratory:
    """Change what is served, then `check`."""

    first: FaultyAuthority
    second: FaultyAuthority
    platform: FaultyAuthority
    parent: FaultyAuthority
    recursive: FaultyAuthority
    port: int
    threads: ThreadPoolExecutor
    question: Question = field(
        default_factory=lambda: Question(
            DOMAIN, TOKEN, (host(),), TARGET, caa_domains=("ca.test",), needs_port_80=False
        )
    )
    probe: Any = good_probe
    http_port: int = 80
    https_port: int = 443
    roots_pem: str | None = None
    may_visit_private: bool = True
    resolver_settings: dict[str, Any] = field(default_factory=dict)
    public_servers: list[tuple[str, int]] = field(default_factory=list)

    def serve(self, text: str, *, first: str | None = None, cached: str | None = None) -> None:
        """The customer's zone from now on; another `first` server's, what a resolver remembers."""
        self.second.serve(DOMAIN, zone_text(DOMAIN, text, servers=TWO_SERVERS))
        own = text if first is None else first
        self.first.serve(DOMAIN, zone_text(DOMAIN, own, servers=TWO_SERVERS))
        remembered = text if cached is None else cached
        self.recursive.serve(
            DOMAIN, zone_text(DOMAIN, remembered, servers=TWO_SERVERS, negative_ttl=45)
        )

    def add_against_the_rules(self, name: str, type: str, value: str) -> None:
        """A record beside others where none may be, as careless servers have it."""
        rdata = dns.rdata.from_text("IN", type, value)
        for one in (self.first, self.second, self.recursive):
            node = one._zones[DOMAIN].nodes[dns.name.from_text(name)]
            node[rdata.rdtype] = dns.rdataset.from_rdata(60, rdata)

    def everywhere(self, name: str, kind: str, fault: Fault) -> None:
        """A fault of both of the customer's servers."""
        for one in (self.first, self.second):
            one.faults[name, kind] = fault

    def check(self, now: datetime = NOW, **changes: Any) -> Diagnosis:
        """One round of looking and judging."""
        question = replace(self.question, **changes)
        outside = Outside(
            resolver=self.resolver(),
            probe=self.probe,
            edge=(EDGE, self.https_port),
            http_port=self.http_port,
            https_port=self.https_port,
            allow_private_addresses=self.may_visit_private,
            secret="a secret of the laboratory",
            threads=self.threads,
            roots_pem=lambda: self.roots_pem,
        )
        return diagnose(question, observe(question, outside, now), now)

    def resolver(self) -> DiscoveringResolver:
        """A fresh one, which remembers nothing."""
        settings = {"timeout": 0.5, "allow_private_addresses": True, **self.resolver_settings}
        public = self.public_servers or [self.recursive.address]
        return DiscoveringResolver(public, authority_port=self.port, **settings)


def row(diagnosis: Diagnosis, check: Checks, name: str = "") -> CheckResult:
    """The row of a check, of a host where there are several."""
    return next(
        one for one in diagnosis.results if one.check == check and (not name or one.host == name)
    )


@pytest.fixture
def laboratory(faulty_authority: Callable[..., FaultyAuthority]) -> Iterator[Laboratory]:
    """All records right; two servers; nothing wrong anywhere."""
    port = free_dns_port([FIRST, SECOND, OURS, PARENT, PUBLIC])
    customer = {DOMAIN: zone_text(DOMAIN, RIGHT, servers=TWO_SERVERS)}
    ours = {
        zone: zone_text(zone, text, servers=f"ns1 A {OURS}")
        for zone, text in (("portal.test", ""), ("api.portal.test", PLATFORM))
    }
    top = {"test": zone_text("test", TOP, servers=f"ns1 A {PARENT}")}
    with ThreadPoolExecutor(16) as threads:
        yield Laboratory(
            faulty_authority(customer, FIRST, port),
            faulty_authority(customer, SECOND, port),
            faulty_authority(ours, OURS, port),
            faulty_authority(top, PARENT, port),
            faulty_authority({**customer, **ours, **top}, PUBLIC, port, recursive=True),
            port,
            threads,
        )
