"""The client as visitors get it: a frozen value, kept in memory until anybody changes anything."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.caching import cache
from portal.database import db
from portal.limits.serving import ClientLimits, limits_of
from portal.llm_clients import revisions
from portal.llm_clients.hostnames import Mode
from portal.llm_clients.models import LLMClient, LLMClientHost
from portal.plugins import finding as plugin_finding
from portal.plugins.calling import ServedPlugin
from portal.request_history import redaction
from portal.request_history.redaction import Redaction
from portal.serving.endpoints import Endpoint, endpoint_of
from portal.vault import tokens


@dataclass(frozen=True)
class Key:
    """An API key that opens the client, by the hash of its text."""

    id: int
    secret_hash: str = field(repr=False)
    expires_at: datetime | None


@dataclass(frozen=True)
class Served:
    """Everything that answering needs. `content` is the revision that is served.

    `is_rehearsal`: the account's own people ask, in the workbench; who asks on the platform's host
    by the client's number is a visitor, though that mode is called sandbox too.
    """

    client_id: int
    hashed_id: str
    account_id: int
    timezone: str
    name: str
    revision_number: int
    content: dict[str, Any]
    endpoint: Endpoint
    keys: tuple[Key, ...]
    hostname: str
    mode: Mode
    is_open: bool
    request_bodies_days: int
    plugins: tuple[ServedPlugin, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    fallback: Endpoint | None = None
    cheaper: Endpoint | None = None
    limits: ClientLimits = field(default_factory=ClientLimits)
    is_rehearsal: bool = False
    redaction: Redaction | None = None

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where a prompt goes, and where it goes when that fails."""
        return (self.endpoint,) if self.fallback is None else (self.endpoint, self.fallback)

    def key_of(self, presented: str, now: datetime) -> Key | None:
        """The valid key that a caller presented; what was never a key is told without a look."""
        if tokens.parse(presented) is None:
            return None
        digest = tokens.digest(presented)
        for key in self.keys:
            fits = hmac.compare_digest(key.secret_hash, digest)
            if fits and (key.expires_at is None or key.expires_at > now):
                return key
        return None

    def needs_key(self, now: datetime) -> bool:
        """Whether callers have to present a key now."""
        return any(key.expires_at is None or key.expires_at > now for key in self.keys)


def by_host(host: str) -> Served | None:
    """The client of a host, open or not; None for a host that is nobody's."""
    return cache().get(("served host", host), lambda: _load_host(host))


def by_public_id(public_id: str) -> Served | None:
    """The client of a number or hashed id, on the platform's own host."""
    return cache().get(("served id", public_id), lambda: _load_id(public_id))


def _load_host(host: str) -> Served | None:
    entry = db.session.scalar(
        select(LLMClientHost)
        .where(LLMClientHost.hostname == host, LLMClientHost.llm_client_id.is_not(None))
        .options(joinedload(LLMClientHost.llm_client))
    )
    if entry is None or entry.llm_client is None:
        return None
    is_open = entry.is_open and entry.llm_client.deployed
    return of_client(entry.llm_client, host, entry.llm_client.mode(host), is_open=is_open)


def _load_id(public_id: str) -> Served | None:
    column: Any = LLMClient.id if public_id.isdigit() else LLMClient.hashed_id
    value: Any = int(public_id) if public_id.isdigit() else public_id
    found = db.session.scalar(select(LLMClient).where(column == value))
    if found is None:
        return None
    return of_client(found, found.hostname, Mode.SANDBOX, is_open=found.is_open)


def of_client(llm_client: LLMClient, host: str, mode: Mode, *, is_open: bool) -> Served:
    """The published revision of a client, for a host."""
    published = llm_client.published_revision
    content = published.content if published else {}
    number = published.number if published else 0
    return _served(llm_client, content, number, host, mode, is_open=is_open)


def for_sandbox(llm_client: LLMClient) -> Served:
    """The newest revision, for the people of the account."""
    newest = _served(
        llm_client,
        revisions.content_of(llm_client),
        llm_client.newest_revision_number,
        llm_client.sandbox_host,
        Mode.SANDBOX,
        is_open=True,
    )
    return replace(newest, is_rehearsal=True)


def _served(
    llm_client: LLMClient,
    content: dict[str, Any],
    number: int,
    host: str,
    mode: Mode,
    *,
    is_open: bool,
) -> Served:
    account = llm_client.account
    keys = tuple(
        Key(entry.api_key_id, entry.api_key.secret_hash, entry.api_key.expires_at)
        for entry in llm_client.llmclientapikey_set
        if entry.api_key.is_active
    )
    limits = limits_of(llm_client.account_id, llm_client.id, [key.id for key in keys])
    return Served(
        client_id=llm_client.id,
        hashed_id=llm_client.hashed_id,
        account_id=llm_client.account_id,
        timezone=account.timezone,
        name=llm_client.name,
        revision_number=number,
        content=content,
        endpoint=_endpoint(llm_client, content.get("provider"), content.get("default_model")),
        fallback=_optional(
            llm_client, content.get("fallback_provider"), content.get("fallback_model")
        ),
        cheaper=_optional(llm_client, limits.cheaper_provider, limits.cheaper_model),
        limits=limits,
        keys=keys,
        hostname=host,
        mode=mode,
        is_open=is_open and account.is_active,
        request_bodies_days=account.request_bodies_days,
        redaction=redaction.of(account.redaction),
        plugins=plugin_finding.served_plugins(llm_client.account_id, content.get("plugins", ())),
        allowed_origins=tuple(llm_client.allowed_origins),
    )


def _endpoint(llm_client: LLMClient, provider: str | None, model: str | None) -> Endpoint:
    return endpoint_of(llm_client.account_id, provider or "", model or "")


def _optional(llm_client: LLMClient, provider: str | None, model: str | None) -> Endpoint | None:
    """A second model, if one is chosen and can be asked."""
    if not provider or not model:
        return None
    found = _endpoint(llm_client, provider, model)
    return None if found.problem else found
