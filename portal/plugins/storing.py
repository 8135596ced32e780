"""Writing down a plugin that was checked, and what becomes of its secret."""

from __future__ import annotations

from typing import Any

from portal.accounts import audit
from portal.accounts.audit import Actor
from portal.database import db
from portal.plugins import finding
from portal.plugins.models import Plugin


def store(
    plugin: Plugin,
    values: dict[str, Any],
    secret: str,
    action: str,
    actor: Actor,
    *,
    has_secret: bool,
    removes_secret: bool = False,
) -> None:
    """Set these columns and the secret; raises IntegrityError for a name that is taken.

    `values` has name, description, selector, search_terms and content. `has_secret`: of its kind.
    """
    before = told_of(plugin) if action == "changed" else None
    for name, value in values.items():
        setattr(plugin, name, value)
    db.session.add(plugin)
    db.session.flush()
    became = _store_secret(plugin, secret, removes_secret) if has_secret else "none"
    told = {**told_of(plugin), "secret": became}
    audit.record(actor, f"plugin_{action}", plugin, before=before, after=told)


def told_of(plugin: Plugin) -> dict[str, Any]:
    """What the audit log has of a plugin: never its secret, nor what it holds."""
    return {
        "name": plugin.name,
        "kind": plugin.kind.value,
        "selector": plugin.selector.value,
        "description": plugin.description,
    }


def _store_secret(plugin: Plugin, secret: str, removes: bool) -> str:
    """What became of the secret, as the audit log tells it."""
    if secret:
        finding.set_secret(plugin, secret)
        return "replaced"
    if removes:
        plugin.sealed_secret = ""
        return "removed"
    return "kept"
