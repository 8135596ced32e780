"""Writing down a provider that was checked: its address, models and key, and a test of the key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.database import db
from portal.job_queue import enqueue
from portal.llm_providers.catalogue import vendor_named
from portal.providers import checking, finding
from portal.providers.jobs import check_provider
from portal.providers.models import Provider


def new(account_id: int, name: str) -> Provider:
    """A provider that is not stored yet, labelled as the catalogue knows one of its name."""
    vendor = vendor_named(name)
    label = vendor.label if vendor and vendor.base_url else name
    return Provider(account_id=account_id, name=name, label=label)


def store(
    provider: Provider,
    values: dict[str, Any],
    api_key: str,
    action: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Set these columns and, where one is given, the key; raises IntegrityError for a taken name.

    `values` has base_url, default_model and models. A new key is tested in the background.
    """
    before = told_of(provider) if action == "changed" else None
    for name, value in values.items():
        setattr(provider, name, value)
    db.session.add(provider)
    db.session.flush()
    if api_key:
        finding.set_key(provider, api_key)
        begin_test(provider, now)
    told = {**told_of(provider), "key": "replaced" if api_key else "kept"}
    audit.record(actor, f"provider_{action}", provider, before=before, after=told)


def told_of(provider: Provider) -> dict[str, Any]:
    """What the audit log has of a provider: never its key."""
    return {
        "base_url": provider.base_url,
        "default_model": provider.default_model,
        "models": len(provider.models),
    }


def begin_test(provider: Provider, now: datetime) -> None:
    """Let a job ask the provider for its models with the stored key."""
    checking.begin(provider, now)
    enqueue(check_provider, provider.id, key=f"{provider.id}-{provider.generation}")
