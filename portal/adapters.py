"""The outside, built once from the settings, or handed in by a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol

from flask import Flask, current_app

from portal.dns import Resolver, ZoneEditor, zone_editor_class
from portal.dns.discovery import DiscoveringResolver
from portal.dns.embedded_first import EmbeddedFirstResolver
from portal.dns.local import LocalZoneEditor
from portal.functions import Function, built_in
from portal.llm_providers import ChatProvider
from portal.llm_providers.catalogue import vendor_at, vendor_named
from portal.llm_providers.listing import list_models
from portal.llm_providers.openai_compatible import OpenAICompatibleProvider
from portal.open_id import OpenIdProvider
from portal.settings import Settings
from portal.smtp import MailSender, SmtpSender
from portal.tls import AuthorityAccounts, Issuer, issuer_class
from portal.tls.probe import Probe, probe

TSIG_KEY_NAME = "portal-key"


class CertificateProbe(Protocol):
    """A handshake with a host at an address, judged at a given time."""

    def __call__(
        self, name: str, address: str, port: int, now: datetime, *, expected_chain_pem: str = ""
    ) -> Probe: ...


class CustomerZoneEditor(Protocol):
    """The editor of a customer's zone by its kind and settings; raises AdapterError."""

    def __call__(self, kind: str, zone: str, values: Mapping[str, str]) -> ZoneEditor: ...


def customer_zone_editor(
    kind: str, zone: str, values: Mapping[str, str], *, allow_private_addresses: bool = False
) -> ZoneEditor:
    """The editor registered under `kind`, on `zone` where its settings name none."""
    return zone_editor_class(kind).from_settings(
        {"zone": zone, **values}, allow_private_addresses=allow_private_addresses
    )


@dataclass(frozen=True)
class Adapters:
    """How we reach name servers, certificate issuers, the edge and the providers of models.

    `functions` are those that models may call, by name; one of them asks a weather service.
    """

    zone_editor: ZoneEditor
    resolver: Resolver
    issuer: Issuer
    probe: CertificateProbe
    chat_provider: Callable[[str, str, str], ChatProvider]
    list_models: Callable[[str, str], tuple[str, ...]]
    mail_sender: MailSender | None
    customer_zone_editor: CustomerZoneEditor = field(default=customer_zone_editor)
    functions: Mapping[str, Function] = field(default_factory=built_in)
    sign_on: OpenIdProvider | None = None


def build(settings: Settings, accounts: AuthorityAccounts) -> Adapters:
    """The real outside for these settings; `accounts` keeps who we are for an authority."""
    issuer = issuer_class(settings.issuer).from_settings(settings, accounts)
    return Adapters(
        zone_editor=platform_zone_editor(settings),
        resolver=resolver(settings),
        issuer=issuer,
        probe=partial(probe, roots_pem=issuer.roots_pem()),
        chat_provider=partial(
            chat_provider, allow_private_addresses=settings.allow_private_addresses
        ),
        list_models=partial(list_models, allow_private_addresses=settings.allow_private_addresses),
        mail_sender=SmtpSender(settings.smtp_url) if settings.smtp_url else None,
        customer_zone_editor=partial(zone_editor_for, settings),
        sign_on=OpenIdProvider(settings.sign_on) if settings.sign_on.issuer else None,
    )


def chat_provider(
    name: str, base_url: str, api_key: str, *, allow_private_addresses: bool
) -> ChatProvider:
    """The endpoint of a provider, with what the catalogue knows of its host or its name."""
    vendor = vendor_at(base_url) or vendor_named(name)
    if vendor is None:
        return OpenAICompatibleProvider(
            base_url, api_key, allow_private_addresses=allow_private_addresses
        )
    return OpenAICompatibleProvider(
        base_url,
        api_key,
        allow_private_addresses=allow_private_addresses,
        answer_limit_field=vendor.answer_limit_field,
        stream_usage=vendor.stream_usage,
        fixed_temperature=frozenset(
            model.name for model in vendor.models if model.fixed_temperature
        ),
    )


def init_app(app: Flask, adapters: Adapters) -> None:
    app.extensions["portal_adapters"] = adapters


def current_adapters() -> Adapters:
    adapters: Adapters = current_app.extensions["portal_adapters"]
    return adapters


def zone_editor_for(
    settings: Settings, kind: str, zone: str, values: Mapping[str, str]
) -> ZoneEditor:
    """The editor of a customer's zone; the embedded name server takes any zone."""
    if kind != "local":
        allowed = settings.allow_private_addresses
        return customer_zone_editor(kind, zone, values, allow_private_addresses=allowed)
    return LocalZoneEditor(
        zone, settings.edge_address, settings.dns_port, TSIG_KEY_NAME, settings.tsig_secret
    )


def platform_zone_editor(settings: Settings) -> ZoneEditor:
    """Who publishes in the platform's own zone; its name server may be on the own network."""
    values = dict(settings.zone_editor_values)
    operators = replace(settings, allow_private_addresses=True)
    return zone_editor_for(operators, settings.zone_editor, settings.base_api_domain, values)


def resolver(settings: Settings) -> Resolver:
    """Who is asked about names; in local the embedded name server comes first."""
    found = DiscoveringResolver(
        settings.public_resolvers,
        authority_port=settings.authority_dns_port,
        allow_private_addresses=settings.allow_private_addresses,
    )
    if settings.zone_editor != "local":
        return found
    return EmbeddedFirstResolver((settings.edge_address, settings.dns_port), found)
