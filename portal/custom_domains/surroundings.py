"""What the settings of an installation mean for customers' domains."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from urllib.parse import urlsplit

from portal.adapters import Adapters
from portal.custom_domains.names import Premises, is_within
from portal.custom_domains.observing import Outside
from portal.custom_domains.records import Target
from portal.dns import Record
from portal.errors import AdapterError
from portal.settings import Settings

LETS_ENCRYPT = "letsencrypt.org"
log = logging.getLogger(__name__)

TARGET_TTL = 60  # seconds
ASKS_ON_PORT_80 = ("acme", "edge", "cert_manager")


def premises_of(settings: Settings) -> Premises:
    """Which names are the platform's own."""
    own = (
        settings.platform_host,
        settings.api_domain.partition(":")[0],
        settings.base_api_domain,
        target_of(settings).edge_host,
    )
    return Premises(tuple(dict.fromkeys(own)), allows_reserved=settings.is_local)


def target_of(settings: Settings) -> Target:
    """Where customers point their names."""
    return Target(
        edge_host=settings.edge_host or f"edge.{settings.base_api_domain}",
        edge_addresses=settings.edge_addresses or (settings.edge_address,),
        acme_domain=f"acme.{settings.base_api_domain}",
    )


def stand_target(adapters: Adapters, settings: Settings) -> None:
    """Publish the name that customers point to before anybody asks for it.

    Whoever asks too early remembers for as long as the zone says that it does not exist.
    """
    target = target_of(settings)
    addresses = tuple(sorted(one for one in target.edge_addresses if ":" not in one))
    try:
        known = adapters.resolver.authority(target.edge_host, "A")
        if any(answer.status in ("no_name", "no_record") for answer in known):
            adapters.zone_editor.publish(Record(target.edge_host, "A", addresses, TARGET_TTL))
    except AdapterError as error:
        log.warning("%s is not published: %s", target.edge_host, error.public_message)


def needs_port_80(settings: Settings) -> bool:
    """Whether somebody outside asks there before a certificate is issued."""
    by_records = settings.issuer == "acme" and settings.acme.challenge == "dns-01"
    return settings.issuer in ASKS_ON_PORT_80 and not by_records


def caa_domains_of(settings: Settings) -> tuple[str, ...]:
    """How CAA records name our authority; empty where it is not known, or nobody outside issues."""
    if settings.caa_domains:
        return settings.caa_domains
    host = urlsplit(settings.acme.directory).hostname or ""
    knows = settings.issuer == "acme" and is_within(host, LETS_ENCRYPT)
    return (LETS_ENCRYPT,) if knows else ()


def outside_of(adapters: Adapters, settings: Settings, threads: Executor) -> Outside:
    """What a round of checks asks; `threads` are shared by all domains of a round."""
    return Outside(
        resolver=adapters.resolver,
        probe=adapters.probe,
        edge=(settings.edge_address, settings.edge_port),
        http_port=settings.http_port,
        https_port=settings.edge_port if settings.is_local else 443,
        allow_private_addresses=settings.allow_private_addresses,
        secret=settings.secret_key,
        threads=threads,
        roots_pem=adapters.issuer.roots_pem,
    )
