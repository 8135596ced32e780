"""Real programs around the portal, once for each test."""

from __future__ import annotations

import pytest

from tests.dns_peers import Peer, StartPeer, zone_text
from tests.edge_portal import EdgePortal, MakeEdgePortal, platform_zones
from tests.people import People
from tests.stack.stage import CUSTOMER, Admin, Owner


@pytest.fixture(params=["bind", "knot"])
def authority(request: pytest.FixtureRequest) -> Peer:
    """The name server of the platform's zone and of the customer's, both with a key for updates."""
    start: StartPeer = request.getfixturevalue(f"start_{request.param}")
    return start({**platform_zones(), CUSTOMER: zone_text(CUSTOMER, "www A 192.0.2.7\n")})


@pytest.fixture
def portal(
    authority: Peer, start_unbound: StartPeer, make_edge_portal: MakeEdgePortal
) -> EdgePortal:
    """The portal behind Caddy; pebble and we ourselves look names up at unbound."""
    zones = (*platform_zones(), CUSTOMER)
    resolver = start_unbound(dict.fromkeys(zones, authority.address))
    return make_edge_portal(authority=authority, resolver=resolver)


@pytest.fixture
def zone_owner(authority: Peer) -> Owner:
    return Owner(authority)


@pytest.fixture
def alice(people: People, portal: EdgePortal) -> Admin:
    return Admin(people.browser(people.alice), portal)


@pytest.fixture
def charlie(people: People, portal: EdgePortal) -> Admin:
    """Of another account."""
    return Admin(people.browser(people.charlie), portal)
