"""What an installation's settings mean for customers' domains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.custom_domains import names, surroundings
from portal.custom_domains.names import NameReasons, NameRefused
from portal.issuer_settings import AcmeSettings
from portal.settings import Settings

pytestmark = pytest.mark.engine_independent

PRODUCTION = Settings(
    environment="prod",
    is_local=False,
    platform_domain="platform.portal.de",
    api_domain="api.portal.de",
    base_api_domain="api.portal.de",
    edge_host="edge.api.portal.de",
    edge_addresses=("203.0.113.6", "2001:db8::6"),
    issuer="acme",
)


@pytest.mark.parametrize(
    "name", ["platform.portal.de", "x.api.portal.de", "portal.de", "edge.api.portal.de.shop.de"]
)
def test_the_platforms_own_names_are_nobodys(name: str) -> None:
    with pytest.raises(NameRefused) as refused:
        names.checked_name(name, surroundings.premises_of(PRODUCTION))
    assert refused.value.reason == NameReasons.OURS


def test_customers_point_to_the_edge() -> None:
    target = surroundings.target_of(PRODUCTION)
    assert target.edge_host == "edge.api.portal.de"
    assert target.edge_addresses == ("203.0.113.6", "2001:db8::6")
    assert target.acme_domain == "acme.api.portal.de"
    assert surroundings.target_of(Settings()).edge_addresses == ("127.0.0.1",)


def test_who_issues_decides_what_is_looked_at() -> None:
    assert surroundings.caa_domains_of(PRODUCTION) == ("letsencrypt.org",)
    assert surroundings.needs_port_80(PRODUCTION)
    own = replace(PRODUCTION, acme=AcmeSettings(directory="https://ca.portal.de/directory"))
    assert surroundings.caa_domains_of(own) == ()
    assert surroundings.caa_domains_of(replace(own, caa_domains=("portal.de",))) == ("portal.de",)
    by_records = replace(PRODUCTION, acme=AcmeSettings(challenge="dns-01"))
    assert not surroundings.needs_port_80(by_records)
    local = Settings()
    assert surroundings.caa_domains_of(local) == ()
    assert not surroundings.needs_port_80(local)


def test_settings_are_read_from_the_environment() -> None:
    read = Settings.from_environ(
        {
            "PORTAL_EDGE_ADDRESSES": "203.0.113.6, 2001:db8::6",
            "PORTAL_CAA_DOMAINS": "CA.test",
            "PORTAL_HTTP_PORT": "8080",
            "PORTAL_SECRET_KEY": "x" * 40,
            "PORTAL_INTERNAL_TOKEN": "x" * 40,
            "PORTAL_TSIG_SECRET": "eA==",
            "PORTAL_ENCRYPTION_KEYS": "x",
        }
    )
    assert read.edge_addresses == ("203.0.113.6", "2001:db8::6")
    assert (read.caa_domains, read.http_port) == (("ca.test",), 8080)
