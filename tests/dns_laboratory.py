"""Names as in life: a top-level zone, a customer's zone, the platform's, and a public resolver.

Loaded as a pytest plugin by the root conftest. Every server can be made faulty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from portal.dns.discovery import DiscoveringResolver
from tests.dns_peers import Fault, FaultyAuthority, free_dns_port, zone_text

FIRST, SECOND, OTHER, PARENT, PUBLIC = (f"127.0.0.{n}" for n in range(11, 16))
TWO_SERVERS = f"ns1 A {FIRST}\nns2 A {SECOND}"
CUSTOMER = """@ A 192.0.2.1
chat CNAME edge.api.portal.test.
www A 192.0.2.1
www A 192.0.2.2
hop1 CNAME hop2
hop2 CNAME hop3
hop3 CNAME edge.api.portal.test.
loop1 CNAME loop2
loop2 CNAME loop1
far1 CNAME back.api.portal.test.
dangling CNAME gone.api.portal.test.
lost CNAME www.nobody.test.
*.wild A 192.0.2.7
"""
PLATFORM = """edge A 192.0.2.80
back CNAME far1.customer.test.
"""
TOP = f"""customer NS ns1.customer
customer NS ns2.customer
ns1.customer A {FIRST}
ns2.customer A {SECOND}
portal NS ns1.portal
ns1.portal A {OTHER}
deserted NS ns1.customer
noaddress NS ns.nobody
"""


@dataclass
class Laboratory:
    """`first` and `second` serve customer.test; one port everywhere, as NS records have none."""

    first: FaultyAuthority
    second: FaultyAuthority
    platform: FaultyAuthority
    parent: FaultyAuthority
    public: FaultyAuthority
    port: int

    def resolver(self, **settings: object) -> DiscoveringResolver:
        """One that knows the public resolver only, impatient."""
        chosen = {"timeout": 0.5, "allow_private_addresses": True, **settings}
        return DiscoveringResolver([self.public.address], authority_port=self.port, **chosen)

    def serve_customer(self, records: str) -> None:
        """Another content of customer.test, at its servers and for visitors."""
        text = zone_text("customer.test", records, servers=TWO_SERVERS)
        for one in (self.first, self.second, self.public):
            one.serve("customer.test", text)

    def everywhere(self, name: str, kind: str, fault: Fault) -> None:
        """A fault of both servers of the customer's zone."""
        for one in (self.first, self.second):
            one.faults[name, kind] = fault


@pytest.fixture
def laboratory(faulty_authority: Callable[..., FaultyAuthority]) -> Laboratory:
    """All five servers, running."""
    port = free_dns_port([FIRST, SECOND, OTHER, PARENT, PUBLIC])
    customer = {"customer.test": zone_text("customer.test", CUSTOMER, servers=TWO_SERVERS)}
    platform = {
        zone: zone_text(zone, records, servers=f"ns1 A {OTHER}")
        for zone, records in (("portal.test", ""), ("api.portal.test", PLATFORM))
    }
    top = {"test": zone_text("test", TOP, servers=f"ns1 A {PARENT}")}
    return Laboratory(
        faulty_authority(customer, FIRST, port),
        faulty_authority(customer, SECOND, port),
        faulty_authority(platform, OTHER, port),
        faulty_authority(top, PARENT, port),
        faulty_authority({**customer, **platform, **top}, PUBLIC, port, recursive=True),
        port,
    )
